package main

import (
	"context"
	"errors"

	"dagger/tagline/internal/dagger"

	"github.com/tagline-ci/tagline/pipelines/sign"
)

// signing says who signs a release: a key, a workflow of GitHub Actions, or
// nobody.
type signing struct {
	key, password              *dagger.Secret
	url                        string
	token                      *dagger.Secret
	trustedRoot, signingConfig *dagger.File
}

// signer gives who signs; nil when nobody does.
func (s signing) signer(ctx context.Context) (sign.Signer, error) {
	switch {
	case s.key != nil && s.token != nil:
		return nil, errors.New("a key and a workflow are both given; give one of them")
	case (s.trustedRoot == nil) != (s.signingConfig == nil):
		return nil, errors.New("only one of trusted root and signing config is given; a Sigstore of your own needs both")
	case s.key != nil:
		return s.byKey(ctx)
	case s.token != nil:
		return s.byWorkflow(ctx)
	}
	return nil, nil
}

func (s signing) byKey(ctx context.Context) (sign.Signer, error) {
	text, err := s.key.Plaintext(ctx)
	if err != nil {
		return nil, err
	}
	password := ""
	if s.password != nil {
		if password, err = s.password.Plaintext(ctx); err != nil {
			return nil, err
		}
	}
	return sign.ReadKey([]byte(text), []byte(password))
}

func (s signing) byWorkflow(ctx context.Context) (sign.Signer, error) {
	token, err := s.token.Plaintext(ctx)
	if err != nil {
		return nil, err
	}
	instance, err := s.sigstore(ctx)
	if err != nil {
		return nil, err
	}
	return instance.Signer(sign.ActionsToken(s.url, token)), nil
}

func (s signing) sigstore(ctx context.Context) (*sign.Sigstore, error) {
	if s.trustedRoot == nil {
		return sign.PublicSigstore(ctx)
	}
	root, err := s.trustedRoot.Contents(ctx)
	if err != nil {
		return nil, err
	}
	config, err := s.signingConfig.Contents(ctx)
	if err != nil {
		return nil, err
	}
	return sign.ReadSigstore([]byte(root), []byte(config))
}
