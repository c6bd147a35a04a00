package cli

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// signing holds the flags that say who signs something, and at which Sigstore.
type signing struct {
	key     string
	keyless bool
	files   sigstoreFiles
}

// sigstoreFiles names the files of a Sigstore that is not the public one.
type sigstoreFiles struct{ trustedRoot, signingConfig string }

func (s *signing) flags(cmd *cobra.Command) {
	s.whoSigns(cmd, "key", "the release")
	s.files.flags(cmd)
}

// whoSigns adds the flags that say who signs something; key is the name of the one for a
// key.
func (s *signing) whoSigns(cmd *cobra.Command, key, what string) {
	f := cmd.Flags()
	f.StringVar(&s.key, key, "",
		"file of the private key that signs "+what+" (default $TAGLINE_KEY; its password is $TAGLINE_KEY_PASSWORD)")
	f.BoolVar(&s.keyless, "keyless", false,
		"sign "+what+" as this workflow of GitHub Actions, which needs the permission id-token: write")
	f.StringVar(&s.files.signingConfig, "signing-config", "",
		"signing_config.json of a Sigstore of your own, with --trusted-root")
}

func (s *sigstoreFiles) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.trustedRoot, "trusted-root", "",
		"trusted_root.json of a Sigstore of your own (default the public one's, fetched)")
}

// signer returns who signs releases; nil when nobody does. The environment's key
// signs where no flag says otherwise.
func (a *app) signer(ctx context.Context, s signing) (sign.Signer, error) {
	if s.key == "" && !s.keyless {
		s.key = a.env("TAGLINE_KEY")
	}
	choice := sign.Choice{KeyPassword: []byte(a.env("TAGLINE_KEY_PASSWORD"))}
	if s.keyless {
		choice.Workflow = &sign.Workflow{
			URL: a.env("ACTIONS_ID_TOKEN_REQUEST_URL"), Token: a.env("ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
		}
		choice.Token = a.env("SIGSTORE_ID_TOKEN") // of a person, as cosign reads it
	}
	var err error
	choice.Key, err = readNamed(s.key, "reading the signing key",
		"make one with tagline key, and give its password in TAGLINE_KEY_PASSWORD")
	if err != nil {
		return nil, err
	}
	if choice.TrustedRoot, choice.SigningConfig, err = s.files.read(); err != nil {
		return nil, err
	}
	return choice.Signer(ctx)
}

// read reads the files that are named; nil for those that are not.
func (s sigstoreFiles) read() (trustedRoot, signingConfig []byte, err error) {
	const doing, fix = "reading the files of a Sigstore", "name a file that is there"
	if trustedRoot, err = readNamed(s.trustedRoot, doing, fix); err != nil {
		return nil, nil, err
	}
	signingConfig, err = readNamed(s.signingConfig, doing, fix)
	return trustedRoot, signingConfig, err
}

// readNamed reads a file that a flag names; nil when the flag is not given.
func readNamed(file, doing, fix string) ([]byte, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, &diag.Error{Kind: diag.Invalid, Doing: doing, Err: err, Fix: fix}
	}
	return text, nil
}
