package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/manifests"
)

// newRender is `tagline render`: a release for sites that deliver from git.
func newRender(a *app) *cobra.Command {
	s, trust := &site{}, &trusted{}
	var digest, to string
	cmd := a.takes(&cobra.Command{
		Use:   "render BEAMLINE VERSION",
		Short: "Write the manifests of a release, for Argo CD and Flux",
		Long: "Verifies the record of a release and of what it runs, fetches each instance's chart by\n" +
			"digest, and renders it as a promotion would: a file for each instance, and a\n" +
			"kustomization.yaml. A folder that has files of an earlier rendering is brought up to\n" +
			"date; other files are left alone, and none is written over. Without --to, the manifests\n" +
			"of all instances go to stdout, and name no namespace.\n\n" +
			"No gate is asked, and Tagline knows nothing of what is delivered in this way: ask\n" +
			"tagline gate before.",
		Example: "  tagline render bl01t 2026.11.2 --key release.key.pub --to clusters/bl01t\n" +
			"  tagline render bl01t 2026.11.2 --policy policy.yaml | kubectl diff -n bl01t -f -",
		RunE: func(cmd *cobra.Command, given []string) error {
			name, err := asset.ParseName(given[0])
			if err != nil {
				return err
			}
			v, err := asset.ParseVersion(given[1])
			if err != nil {
				return err
			}
			signers, err := a.trustOrNone(cmd.Context(), trust)
			if err != nil {
				return err
			}
			reg, err := a.openRegistry(s)
			if err != nil {
				return err
			}
			set, err := manifests.Read(cmd.Context(), reg, signers, name, v, asset.Digest(digest))
			if err != nil {
				return err
			}
			if to == "" {
				return a.print(set, func(w io.Writer) error { _, err := io.WriteString(w, set.Stream()); return err })
			}
			done, err := set.Write(to)
			if err != nil {
				return err
			}
			return a.print(done, func(w io.Writer) error { writeRendered(w, done); return nil })
		},
	}, beamlineArg, versionArg)
	s.flags(cmd)
	trust.flags(cmd)
	digestFlag(cmd, &digest)
	cmd.Flags().StringVar(&to, "to", "", "folder to write into (default stdout)")
	return cmd
}

// trustOrNone returns the trusted signers; nil, as at the gate, under a policy that
// accepts releases which nobody signed.
func (a *app) trustOrNone(ctx context.Context, t *trusted) (attest.Trusted, error) {
	if t.policy == "" || len(t.keys)+len(t.identities) > 0 {
		return a.trust(ctx, t)
	}
	p, err := readPolicyFile(t.policy)
	if err != nil || p.Unsigned != "" {
		return nil, err
	}
	return a.trust(ctx, t)
}

// writeRendered shows what became of a folder.
func writeRendered(w io.Writer, done *manifests.Change) {
	if len(done.Written)+len(done.Removed) == 0 {
		fmt.Fprintln(w, "nothing differs")
	}
	for _, name := range done.Written {
		fmt.Fprintf(w, "written  %s\n", name)
	}
	for _, name := range done.Removed {
		fmt.Fprintf(w, "removed  %s\n", name)
	}
}
