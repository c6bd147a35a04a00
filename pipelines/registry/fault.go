package registry

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// fault returns the error of a request about ref, with what to do.
func (r *Registry) fault(doing string, ref asset.Ref, err error) error {
	return &diag.Error{Kind: diag.Broken, Doing: doing, Asset: string(ref), Err: r.shown(err), Fix: r.fix(err)}
}

// shown returns err as people may see it: the registry's answer is in it, from which
// the password is taken out.
func (r *Registry) shown(err error) error {
	text := err.Error()
	for _, secret := range r.secrets() {
		if secret != "" {
			text = strings.ReplaceAll(text, secret, "***")
		}
	}
	if text == err.Error() {
		return err
	}
	return errors.New(text)
}

// secrets returns the credentials of the registry, in all forms: as they are given,
// and as a request has them.
func (r *Registry) secrets() []string {
	auth := r.auth
	if auth == nil {
		host, err := name.NewRegistry(r.host)
		if err != nil {
			return nil
		}
		if auth, err = authn.DefaultKeychain.Resolve(host); err != nil {
			return nil
		}
	}
	c, err := auth.Authorization()
	if err != nil {
		return nil
	}
	header := base64.StdEncoding.EncodeToString([]byte(c.Username + ":" + c.Password))
	return []string{header, c.Password, c.Auth, c.IdentityToken, c.RegistryToken}
}

// fix returns what a person can do about err.
func (r *Registry) fix(err error) string {
	var answer *transport.Error
	if errors.Is(err, context.Canceled) {
		return "run it again to finish"
	}
	if !errors.As(err, &answer) {
		return fmt.Sprintf("see that %s can be reached, then run it again to finish", r.host)
	}
	switch answer.StatusCode {
	case http.StatusUnauthorized:
		return "log in: docker login " + r.host
	case http.StatusForbidden:
		return "log in as a user who may write here: docker login " + r.host
	case http.StatusTooManyRequests:
		return "wait a while, then run it again to finish"
	}
	return "run it again to finish"
}

// unread returns the error of content at ref that could not be read or does not
// match its digest. The latter is no fault of the network: running it again does
// not help.
func (r *Registry) unread(ctx context.Context, doing string, ref asset.Ref, err error) error {
	var answer *transport.Error
	var network net.Error
	if isNotFound(err) {
		return &diag.Error{
			Kind:  diag.Refused,
			Doing: doing,
			Asset: string(ref),
			Err:   fmt.Errorf("a part of it is %w: %w", ErrNotFound, r.shown(err)),
			Fix:   restore,
		}
	}
	if errors.As(err, &answer) || errors.As(err, &network) || errors.Is(err, io.ErrUnexpectedEOF) || ctx.Err() != nil {
		return r.fault(doing, ref, err)
	}
	return &diag.Error{
		Kind:  diag.Refused,
		Doing: doing,
		Asset: string(ref),
		Err:   fmt.Errorf("it is not what was pushed: %w", r.shown(err)),
		Fix:   restore,
	}
}

const restore = "restore the registry's storage, or release a new version"

func isNotFound(err error) bool {
	var answer *transport.Error
	return errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound
}

// ErrNotFound is the cause of every error about content that is not in the registry.
var ErrNotFound = errors.New("not in the registry")

func missing(ref asset.Ref) error {
	return &diag.Error{
		Kind:  diag.Invalid,
		Doing: "looking for",
		Asset: string(ref),
		Err:   ErrNotFound,
		Fix:   "release it first, or mend the version",
	}
}

func badRef(ref asset.Ref, err error) error {
	return &diag.Error{
		Kind:  diag.Invalid,
		Doing: "reading address",
		Asset: string(ref),
		Err:   err,
		Fix:   "write host/path/name:tag or host/path/name@sha256:…",
	}
}

// ours refuses the address of something that is not below the registry's prefix:
// what a record names elsewhere is not fetched, and no credentials go there.
func (r *Registry) ours(ref asset.Ref) error {
	if r.Has(ref) {
		return nil
	}
	return &diag.Error{
		Kind: diag.Refused, Doing: "opening", Asset: string(ref),
		Err: fmt.Errorf("it is not in the registry %s", r.prefix),
		Fix: "name the registry that it was released to with --registry, or release it to this one",
	}
}
