package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/registry"
)

// login gives the name and password for the registry: --username and
// --password-stdin, else the environment; both empty for the Docker
// configuration's. It is read once, as stdin can be.
func (a *app) login(s *site) (user, password string, err error) {
	if s.passwordStdin && s.password == "" {
		text, err := io.ReadAll(a.In)
		if err != nil {
			return "", "", fmt.Errorf("reading the registry's password: %w", err)
		}
		s.password = strings.TrimRight(string(text), "\r\n")
	}
	user = cmp.Or(s.username, a.env("TAGLINE_REGISTRY_USERNAME"))
	password = cmp.Or(s.password, a.env("TAGLINE_REGISTRY_PASSWORD"))
	if (user == "") != (password == "") {
		return "", "", &diag.Error{Kind: diag.Invalid, Doing: "reading the login for the registry", Err: errors.New("one of user name and password is missing"),
			Fix: "give both TAGLINE_REGISTRY_USERNAME and TAGLINE_REGISTRY_PASSWORD, or --username and --password-stdin, or neither and docker login"}
	}
	return user, password, nil
}

// letIn lets an engine's session pull from and push to the registry with a login
// that is none of the Docker configuration, which the session reads by itself.
func (a *app) letIn(ctx context.Context, s *site, client *dagger.Client, reg *registry.Registry) error {
	user, password, err := a.login(s)
	if err != nil || user == "" {
		return err
	}
	host, _, _ := strings.Cut(reg.Prefix(), "/")
	_, err = client.Container().WithRegistryAuth(host, user, client.SetSecret("registry-password", password)).ID(ctx)
	if err != nil {
		return fmt.Errorf("giving the engine the login for %s: %w", host, err)
	}
	return nil
}
