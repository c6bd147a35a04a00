package main

import (
	"context"

	"dagger/tagline/internal/dagger"

	"github.com/tagline-ci/tagline/pipelines/sign"
)

// signing holds the arguments that say who signs a release.
type signing struct {
	key, password              *dagger.Secret
	url                        string
	token                      *dagger.Secret
	trustedRoot, signingConfig *dagger.File
}

// signer returns who signs; nil when nobody does.
func (s signing) signer(ctx context.Context) (sign.Signer, error) {
	choice := sign.Choice{}
	var err error
	if choice.Key, err = plaintext(ctx, s.key); err != nil {
		return nil, err
	}
	if choice.KeyPassword, err = plaintext(ctx, s.password); err != nil {
		return nil, err
	}
	if choice.TrustedRoot, err = contents(ctx, s.trustedRoot); err != nil {
		return nil, err
	}
	if choice.SigningConfig, err = contents(ctx, s.signingConfig); err != nil {
		return nil, err
	}
	if s.token != nil {
		token, err := s.token.Plaintext(ctx)
		if err != nil {
			return nil, err
		}
		choice.Workflow = &sign.Workflow{URL: s.url, Token: token}
	}
	return choice.Signer(ctx)
}

// plaintext reads a secret; nil when it is not given.
func plaintext(ctx context.Context, secret *dagger.Secret) ([]byte, error) {
	if secret == nil {
		return nil, nil
	}
	text, err := secret.Plaintext(ctx)
	return []byte(text), err
}

// contents reads a file; nil when it is not given.
func contents(ctx context.Context, file *dagger.File) ([]byte, error) {
	if file == nil {
		return nil, nil
	}
	text, err := file.Contents(ctx)
	return []byte(text), err
}
