package sign

import (
	"context"
	"errors"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Choice is who signs a release: a key, a person or a job of GitHub Actions without
// one, or nobody. A text that is nil was not given; an empty one is refused as a bad one.
type Choice struct {
	Key, KeyPassword []byte    // text of a private key; no password when it is not encrypted
	Workflow         *Workflow // nil without keyless signing
	// Token says who a person is, in place of the workflow: an OIDC token, as cosign takes
	// it from SIGSTORE_ID_TOKEN. Empty where a workflow signs.
	Token string
	// A Sigstore that is not the public one: both files, or neither.
	TrustedRoot, SigningConfig []byte
}

// Workflow is where the running job of GitHub Actions asks for a token that
// says which workflow it is.
type Workflow struct {
	URL   string // ACTIONS_ID_TOKEN_REQUEST_URL
	Token string // ACTIONS_ID_TOKEN_REQUEST_TOKEN
}

// Signer returns the chosen signer, nil when nobody signs. Nothing is asked yet
// of the workflow or its Sigstore, but what the public Sigstore is. A choice that
// contradicts itself or lacks a part is refused (diag.Invalid).
func (c Choice) Signer(ctx context.Context) (Signer, error) {
	private := c.TrustedRoot != nil || c.SigningConfig != nil
	switch {
	case c.Key != nil && c.Workflow != nil:
		return nil, badChoice("a key and a workflow are both named", "sign with one of them")
	case private && (c.Workflow == nil || c.TrustedRoot == nil || c.SigningConfig == nil):
		return nil, badChoice("only a part of a private Sigstore is named",
			"sign keyless and give its trusted root and its signing config, or none of these")
	case c.Workflow != nil:
		return c.keyless(ctx)
	case c.Key != nil:
		key, err := ReadKey(c.Key, c.KeyPassword)
		if err != nil {
			return nil, err
		}
		return key, nil
	}
	return nil, nil
}

// keyless returns the signer of a person or of the running workflow.
func (c Choice) keyless(ctx context.Context) (Signer, error) {
	if c.Token == "" && (c.Workflow.URL == "" || c.Workflow.Token == "") {
		return nil, badChoice(
			"there is no workflow to sign as: ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN are not set",
			"give the job the permission id-token: write, or sign with a key",
		)
	}
	instance, err := OpenSigstore(ctx, c.TrustedRoot, c.SigningConfig)
	if err != nil {
		return nil, err
	}
	if c.Token != "" {
		return instance.Signer(func(context.Context) (string, error) { return c.Token, nil }), nil
	}
	return instance.Signer(ActionsToken(c.Workflow.URL, c.Workflow.Token)), nil
}

// OpenSigstore reads the two files of a private Sigstore, or asks the public one
// what it is when neither is given. signingConfig may be nil where nothing is
// signed.
func OpenSigstore(ctx context.Context, trustedRoot, signingConfig []byte) (*Sigstore, error) {
	if trustedRoot == nil && signingConfig == nil {
		return PublicSigstore(ctx)
	}
	return ReadSigstore(trustedRoot, signingConfig)
}

func badChoice(what, fix string) error {
	return &diag.Error{Kind: diag.Invalid, Doing: "choosing who signs", Err: errors.New(what), Fix: fix}
}
