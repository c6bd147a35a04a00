package main

import (
	"cmp"
	"context"
	"errors"

	sdk "dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/release"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

var errNoRegistry = &diag.Error{
	Kind: diag.Invalid, Doing: "looking for the registry", Err: errors.New("none is named"),
	Fix: "name it in tagline.yaml, or give --registry, as in dagger call --registry ghcr.io/some-org …",
}

// releases is the release pipeline where releases are read or made.
func (t *Tagline) releases(ctx context.Context) (release.Pipeline, error) {
	p, err := t.unconnected(ctx)
	if err != nil {
		return p, err
	}
	if p.Registry == nil {
		return p, errNoRegistry
	}
	return p, t.connect(ctx, &p)
}

// registry opens the registry of releases: the one that was given, or else that
// of tagline.yaml.
func (t *Tagline) registry(ctx context.Context) (*registry.Registry, error) {
	if t.Registry != "" {
		return t.open(ctx, t.Registry)
	}
	repo, err := t.repository(ctx)
	if err != nil {
		return nil, err
	}
	return t.registryOf(ctx, repo)
}

// registryOf is registry, of a repository that was read already.
func (t *Tagline) registryOf(ctx context.Context, repo *tree.Repository) (*registry.Registry, error) {
	own, err := settingsOf(repo)
	if err != nil {
		return nil, err
	}
	prefix := cmp.Or(t.Registry, own.Registry)
	if prefix == "" {
		return nil, errNoRegistry
	}
	return t.open(ctx, prefix)
}

// open opens a registry with the login that was given.
func (t *Tagline) open(ctx context.Context, prefix string) (*registry.Registry, error) {
	password, err := plaintext(ctx, t.Password)
	if err != nil {
		return nil, err
	}
	if (t.Username == "") != (len(password) == 0) {
		return nil, &diag.Error{
			Kind: diag.Invalid, Doing: "reading the login for the registry",
			Err: errors.New("one of user name and password is missing"), Fix: "give both --username and --password",
		}
	}
	return registry.New(prefix, registry.Options{Username: t.Username, Password: string(password)})
}

// letEngineIn lets the session pull from and push to a registry.
func (t *Tagline) letEngineIn(ctx context.Context, client *sdk.Client, reg *registry.Registry) error {
	if t.Password == nil {
		return nil
	}
	password, err := plaintext(ctx, t.Password)
	if err != nil {
		return err
	}
	return engine.LogIn(ctx, client, reg.Prefix(), t.Username, string(password))
}
