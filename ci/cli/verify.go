package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// newVerify is `tagline verify`.
func newVerify(a *app) *cobra.Command {
	s := &site{}
	key := ""
	cmd := &cobra.Command{
		Use:     "verify TAG",
		Short:   "Check a release, from its signed record down to each blob",
		Long:    "Checks that a trusted key signed the record of a release, that the registry holds\nbyte for byte what the record names, that every image has a signed SBOM and\nprovenance of the record's commit, and the same for the releases it is built on.",
		Example: "  tagline verify bl01t/2026.11.1 --key release.key.pub",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			t, err := a.released(given[0])
			if err != nil {
				return err
			}
			trust, err := a.trust(key)
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
	}
	s.flags(cmd)
	cmd.Flags().StringVar(&key, "key", "", "file of the public keys that are trusted (default $TAGLINE_PUBLIC_KEY)")
	return cmd
}

// trust reads the public keys that are trusted.
func (a *app) trust(file string) (*sign.Trust, error) {
	if file == "" {
		file = a.env("TAGLINE_PUBLIC_KEY")
	}
	if file == "" {
		return nil, &diag.Error{Kind: diag.Invalid, Doing: "looking for the public key", Err: errors.New("none is named"), Fix: "give --key or TAGLINE_PUBLIC_KEY"}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, &diag.Error{Kind: diag.Invalid, Doing: "reading the public key", Err: err, Fix: "name the .pub file that tagline key made"}
	}
	return sign.TrustKeys(text)
}

// writeReport shows what was verified, the release first, then what it is built on.
func writeReport(w io.Writer, r *attest.Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	seen := map[string]bool{}
	var release func(*attest.Report)
	release = func(r *attest.Report) {
		if seen[r.Record] {
			return
		}
		seen[r.Record] = true
		fmt.Fprintf(t, "%s/%s\trecord %s\tsigned\n", r.Asset, r.Version, brief(r.Record))
		for _, thing := range r.Things {
			said := "intact"
			if len(thing.Signed) > 0 {
				said += ", SBOM and provenance signed"
			}
			fmt.Fprintf(t, "  %s\t%s\t%s, %d bytes\n", thing.Name, brief(thing.Ref[strings.LastIndex(thing.Ref, "@")+1:]), said, thing.Bytes)
		}
		for _, p := range r.Parents {
			release(p)
		}
	}
	release(r)
	return t.Flush()
}
