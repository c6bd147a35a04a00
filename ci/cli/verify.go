package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// newVerify is `tagline verify`.
func newVerify(a *app) *cobra.Command {
	s, who := &site{}, &trusted{}
	cmd := a.takes(&cobra.Command{
		Use:   "verify TAG",
		Short: "Check a release, from its signed record down to each blob",
		Long: "Checks that a trusted key or workflow signed the record of a release, that the\n" +
			"registry holds byte for byte what the record names, that every image has a signed\n" +
			"SBOM and provenance of the record's commit, and the same for the releases it is\n" +
			"built on. Of a workflow only the runs for the releases' own tags are believed.",
		Example: "  tagline verify bl01t/2026.11.1 --key release.key.pub\n" +
			"  tagline verify bl01t/2026.11.1 \\\n" +
			"    --identity https://github.com/some-org/site/.github/workflows/release.yml",
		RunE: func(cmd *cobra.Command, given []string) error {
			t, err := a.released(given[0])
			if err != nil {
				return err
			}
			trust, err := a.trust(cmd.Context(), who)
			if err != nil {
				return err
			}
			reg, err := a.openRegistry(s)
			if err != nil {
				return err
			}
			report, err := attest.Verify(cmd.Context(), reg, trust, t.Asset, t.Version)
			if err != nil {
				return err
			}
			return a.print(report, func(w io.Writer) error { return writeReport(w, report) })
		},
	}, tagArg)
	s.flags(cmd)
	who.flags(cmd)
	return cmd
}

// actionsIssuer is the OIDC issuer of GitHub Actions: it says which workflow a run is.
const actionsIssuer = "https://token.actions.githubusercontent.com"

// trusted holds the flags that say whose signatures are trusted: those of keys or
// of an identity.
type trusted struct {
	key, identity, issuer string
	files                 sigstoreFiles
}

func (t *trusted) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&t.key, "key", "", "file of the public keys that are trusted (default $TAGLINE_PUBLIC_KEY)")
	cmd.Flags().StringVar(&t.identity, "identity", "",
		"workflow that is trusted, or another identity of a certificate:"+
			" https://github.com/some-org/site/.github/workflows/release.yml")
	cmd.Flags().StringVar(&t.issuer, "issuer", actionsIssuer, "OIDC issuer of the identity")
	t.files.flags(cmd)
}

// trust reads the trusted signers. Flags go over the environment.
func (a *app) trust(ctx context.Context, t *trusted) (*sign.Trust, error) {
	switch {
	case t.key != "" && t.identity != "":
		return nil, badTrust("--key and --identity are both given", "give one of them")
	case t.identity == "" && (t.issuer != actionsIssuer || t.files != sigstoreFiles{}):
		return nil, badTrust("no identity is named", "give --identity too")
	case t.identity != "":
		root, _, err := t.files.read()
		if err != nil {
			return nil, err
		}
		s, err := sign.OpenSigstore(ctx, root, nil)
		if err != nil {
			return nil, err
		}
		return s.Trust(t.identity, t.issuer)
	case t.key == "":
		t.key = a.env("TAGLINE_PUBLIC_KEY")
	}
	if t.key == "" {
		return nil, badTrust("nobody is named", "give --key, TAGLINE_PUBLIC_KEY or --identity")
	}
	text, err := os.ReadFile(t.key)
	if err != nil {
		return nil, &diag.Error{
			Kind:  diag.Invalid,
			Doing: "reading the public key",
			Err:   err,
			Fix:   "name the .pub file that tagline key made",
		}
	}
	return sign.TrustKeys(text)
}

func badTrust(what, fix string) error {
	return &diag.Error{Kind: diag.Invalid, Doing: "reading who is trusted", Err: errors.New(what), Fix: fix}
}

// writeReport shows what was verified: the release first, then its parents.
func writeReport(w io.Writer, r *attest.Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	seen := map[asset.Digest]bool{}
	var release func(*attest.Report)
	release = func(r *attest.Report) {
		if seen[r.Record] {
			return
		}
		seen[r.Record] = true
		fmt.Fprintf(t, "%s/%s\trecord %s\tsigned\n", r.Asset, r.Version, r.Record.Short())
		for _, thing := range r.Things {
			said := "intact"
			if len(thing.Signed) > 0 {
				said += ", SBOM and provenance signed"
			}
			fmt.Fprintf(
				t,
				"  %s\t%s\t%s, %d bytes\n",
				thing.Name,
				thing.Ref.Digest().Short(),
				said,
				thing.Bytes,
			)
		}
		for _, p := range r.Parents {
			release(p)
		}
	}
	release(r)
	return t.Flush()
}
