package cli

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/gate"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// newVerify is `tagline verify`.
func newVerify(a *app) *cobra.Command {
	s, trust := &site{}, &trusted{}
	cmd := a.takes(&cobra.Command{
		Use:   "verify TAG",
		Short: "Check a release, from its signed record down to each blob",
		Long: "Checks that a trusted key or workflow signed the record of a release, that the\n" +
			"registry holds byte for byte what the record names, that every image has a signed\n" +
			"SBOM and provenance of the record's commit, and the same for the releases it is\n" +
			"built on; and that tests which it took from another release are in that one's\n" +
			"signed record. Of a workflow only the runs for the releases' own tags are believed.",
		Example: "  tagline verify bl01t/2026.11.1 --key release.key.pub\n" +
			"  tagline verify bl01t/2026.11.1 \\\n" +
			"    --identity https://github.com/some-org/site/.github/workflows/release.yml",
		RunE: func(cmd *cobra.Command, given []string) error {
			t, err := a.released(given[0])
			if err != nil {
				return err
			}
			trust, err := a.trust(cmd.Context(), trust, false)
			if err != nil {
				return err
			}
			reg, err := a.openRegistry(cmd.Context(), s)
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
	trust.flags(cmd)
	return cmd
}

// trusted holds the flags that name trusted signers: keys, identities, or those
// of a policy.
type trusted struct {
	keys, identities []string
	issuer, policy   string
	files            sigstoreFiles
}

func (t *trusted) flags(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(
		&t.keys, "key", nil,
		"file of public keys that are trusted, or name=file for the assets of that name only; again for more (default $TAGLINE_PUBLIC_KEY)",
	)
	cmd.Flags().StringArrayVar(
		&t.identities, "identity", nil,
		"workflow that is trusted, or what else a certificate says, or name=identity for the assets of that name only (ioc-*=…); again for more: https://github.com/some-org/site/.github/workflows/release.yml",
	)
	cmd.Flags().StringVar(&t.issuer, "issuer", policy.Actions, "the OIDC issuer of the identities")
	cmd.Flags().StringVar(&t.policy, "policy", "", "file of a beamline's policy, whose signers are trusted")
	t.files.flags(cmd)
}

// trust returns the trusted signers. Flags go over the environment. With asGate a policy
// counts as at the gate.
func (a *app) trust(ctx context.Context, t *trusted, asGate bool) (attest.Trusted, error) {
	n := gate.Named{Identities: t.identities, Issuer: t.issuer, AsGate: asGate}
	keys := t.keys
	if key := a.env("TAGLINE_PUBLIC_KEY"); key != "" && len(keys)+len(t.identities) == 0 && t.policy == "" {
		keys = []string{key}
	}
	for _, item := range keys {
		assets, file := policy.Scoped(item)
		text, err := readKey(file)
		if err != nil {
			return nil, err
		}
		n.Keys = append(n.Keys, policy.Signer{Assets: assets, Key: text})
	}
	if t.policy != "" {
		var err error
		if n.Policy, err = readPolicyFile(t.policy); err != nil {
			return nil, err
		}
	}
	root, _, err := t.files.read()
	if err != nil {
		return nil, err
	}
	n.TrustedRoot = string(root)
	return n.Trusted(ctx, sign.PublicSigstore)
}

// policySigners returns the signers of a policy in a file.
func (a *app) policySigners(ctx context.Context, file string) (attest.Trusted, error) {
	return a.trust(ctx, &trusted{policy: file}, false)
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
			result := "intact"
			if len(thing.Signed) > 0 {
				result += ", SBOM and provenance signed"
			}
			fmt.Fprintf(
				t,
				"  %s\t%s\t%s, %d bytes\n",
				thing.Name,
				thing.Ref.Digest().Short(),
				result,
				thing.Bytes,
			)
		}
		for _, o := range r.Tested {
			fmt.Fprintf(t, "  tests: %d\t%s\trun by %s, signed\n", o.Tests, o.Record.Short(), o.Release)
		}
		for _, p := range r.Parents {
			release(p)
		}
	}
	release(r)
	return t.Flush()
}
