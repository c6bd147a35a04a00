package cli

import (
	"context"
	"errors"
	"os"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// signing says who signs a release, and at which Sigstore when without a key.
type signing struct {
	key      string
	keyless  bool
	instance sigstore
}

// sigstore names the files of a Sigstore that is not the public one.
type sigstore struct{ trustedRoot, signingConfig string }

func (s *signing) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.key, "key", "", "file of the private key that signs the release (default $TAGLINE_KEY; its password is $TAGLINE_KEY_PASSWORD)")
	cmd.Flags().BoolVar(&s.keyless, "keyless", false, "sign the release as this workflow of GitHub Actions, which needs the permission id-token: write")
	s.instance.flags(cmd)
	cmd.Flags().StringVar(&s.instance.signingConfig, "signing-config", "", "signing_config.json of a Sigstore of your own, with --trusted-root")
}

func (s *sigstore) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.trustedRoot, "trusted-root", "", "trusted_root.json of a Sigstore of your own (default the public one's, fetched)")
}

// signer gives who signs releases; nil when nobody does. Nothing is asked of a
// Sigstore yet but what it is.
func (a *app) signer(ctx context.Context, s signing) (sign.Signer, error) {
	private := s.instance != sigstore{}
	switch {
	case s.key != "" && s.keyless:
		return nil, badSigning("--key and --keyless are both given", "give one of them")
	case private && (!s.keyless || s.instance.trustedRoot == "" || s.instance.signingConfig == ""):
		return nil, badSigning("only some of --keyless, --trusted-root and --signing-config are given", "a Sigstore of your own needs all three")
	case s.keyless:
		return a.keyless(ctx, s.instance)
	case s.key == "":
		s.key = a.env("TAGLINE_KEY")
	}
	if s.key == "" {
		return nil, nil
	}
	text, err := os.ReadFile(s.key)
	if err == nil {
		var key *sign.Key
		if key, err = sign.ReadKey(text, []byte(a.env("TAGLINE_KEY_PASSWORD"))); err == nil {
			return key, nil
		}
	}
	return nil, &diag.Error{Kind: diag.Invalid, Doing: "reading the signing key " + s.key, Err: err, Fix: "make one with tagline key, and give its password in TAGLINE_KEY_PASSWORD"}
}

// keyless signs as the job of GitHub Actions that this runs in.
func (a *app) keyless(ctx context.Context, instance sigstore) (sign.Signer, error) {
	address, secret := a.env("ACTIONS_ID_TOKEN_REQUEST_URL"), a.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
	if address == "" || secret == "" {
		return nil, badSigning("there is no workflow to sign as: ACTIONS_ID_TOKEN_REQUEST_URL and ACTIONS_ID_TOKEN_REQUEST_TOKEN are not set", "give the job the permission id-token: write, or sign with --key")
	}
	s, err := instance.open(ctx)
	if err != nil {
		return nil, err
	}
	return s.Signer(sign.ActionsToken(address, secret)), nil
}

func badSigning(what, fix string) error {
	return &diag.Error{Kind: diag.Invalid, Doing: "reading who signs", Err: errors.New(what), Fix: fix}
}

// open reads the files, or asks the public instance what it is.
func (s sigstore) open(ctx context.Context) (*sign.Sigstore, error) {
	if s == (sigstore{}) {
		return sign.PublicSigstore(ctx)
	}
	var texts [2][]byte
	for i, file := range []string{s.trustedRoot, s.signingConfig} {
		if file == "" {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, &diag.Error{Kind: diag.Invalid, Doing: "reading what a Sigstore is", Err: err, Fix: "name a file that is there"}
		}
		texts[i] = text
	}
	return sign.ReadSigstore(texts[0], texts[1])
}
