package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/source"
)

// login returns the name and password for the registry: those of --username and
// --password-stdin, else of the environment. Both are empty where the Docker
// configuration has them. stdin can be read once only, so the password is kept.
func (a *app) login(ctx context.Context, s *site) (user, password string, err error) {
	if s.passwordStdin && s.password == "" {
		text, err := io.ReadAll(a.stdin(ctx))
		if err != nil {
			return "", "", fmt.Errorf("reading the registry's password: %w", err)
		}
		s.password = strings.TrimRight(string(text), "\r\n")
	}
	user = cmp.Or(s.username, a.env("TAGLINE_REGISTRY_USERNAME"))
	password = cmp.Or(s.password, a.env("TAGLINE_REGISTRY_PASSWORD"))
	if (user == "") != (password == "") {
		return "", "", &diag.Error{
			Kind:  diag.Invalid,
			Doing: "reading the login for the registry",
			Err:   errors.New("one of user name and password is missing"),
			Fix: "give both TAGLINE_REGISTRY_USERNAME and TAGLINE_REGISTRY_PASSWORD, " +
				"or --username and --password-stdin, or neither and docker login",
		}
	}
	return user, password, nil
}

// gitLogins returns the logins of git servers: those in the environment, or of the
// .netrc that git reads too.
func (a *app) gitLogins() (source.Logins, error) {
	text := a.env("TAGLINE_NETRC")
	file := a.env("NETRC")
	if home := a.env("HOME"); file == "" && home != "" {
		file = filepath.Join(home, ".netrc")
	}
	if text == "" && file != "" {
		read, err := os.ReadFile(file)
		missing := errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) // as HOME=/dev/null has none
		if err != nil && !missing {
			return source.Logins{}, &diag.Error{
				Kind: diag.Invalid, Doing: "reading the logins of git servers", Err: err,
				Fix: "make " + file + " a file that you can read",
			}
		}
		text = string(read)
	}
	return source.ReadLogins(text)
}

// letIn logs an engine's session in at the registry. A login in the Docker
// configuration needs no help: the session reads that by itself.
func (a *app) letIn(ctx context.Context, s *site, client *dagger.Client, reg *registry.Registry) error {
	user, password, err := a.login(ctx, s)
	if err != nil || user == "" {
		return err
	}
	return engine.LogIn(ctx, client, reg.Prefix(), user, password)
}
