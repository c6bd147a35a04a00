package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/promote"
)

// newVersions is `tagline versions`.
func newVersions(a *app) *cobra.Command {
	s, b := &site{}, &beamlineCluster{}
	cmd := a.takes(&cobra.Command{
		Use:   "versions BEAMLINE",
		Short: "Show what was released for a beamline, what ran, and what the gate says",
		Long: "Shows the releases of a beamline, the newest first: which runs, which ran before, and\n" +
			"whether the gate would let them through now, of the ten newest. Nothing is changed.",
		Example: "  tagline versions bl01t\n  tagline versions bl01t --output json",
		RunE: func(cmd *cobra.Command, given []string) error {
			name, err := asset.ParseName(given[0])
			if err != nil {
				return err
			}
			n, err := a.openCluster(cmd.Context(), b, given[0])
			if err != nil {
				return err
			}
			l, err := ledger.Read(cmd.Context(), n)
			if err != nil {
				return err
			}
			reg, missing := a.openRegistry(cmd.Context(), s)
			var released []asset.Version
			if missing == nil {
				released, missing = reg.Records(cmd.Context(), name)
			}
			all := promote.Versions(released, l)
			if len(all) == 0 && missing == nil {
				_, err := ledger.Known(cmd.Context(), n) // a name that was mistyped
				if err != nil {
					return err
				}
			}
			if missing == nil {
				q, unasked := a.inquiryIn(cmd.Context(), b, n, reg)
				promote.Judge(cmd.Context(), all, l, func(ctx context.Context, v asset.Version) error {
					if unasked != nil {
						return unasked
					}
					_, err := q.Pass(ctx, v, "")
					return err
				})
			}
			if err := a.print(all, func(w io.Writer) error { return writeVersions(w, all) }); err != nil {
				return err
			}
			return missing
		},
	}, beamlineArg)
	s.flags(cmd)
	b.flags(cmd)
	return cmd
}

// writeVersions shows versions as a person reads them.
func writeVersions(w io.Writer, all []promote.Version) error {
	if len(all) == 0 {
		fmt.Fprintln(w, "nothing was released")
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "VERSION\tRELEASED\tPROMOTED\tGATE")
	for _, l := range all {
		released, promoted, gate := "yes", "-", "-"
		if !l.Released {
			released = "not found"
		}
		if !l.Since.IsZero() {
			promoted = l.Since.Local().Format(time.DateTime)
		}
		if l.Runs {
			promoted += ", runs"
		}
		if l.Asked {
			gate = "open"
			if !l.Open {
				gate = "closed: " + strings.Join(l.Against, "; ")
			}
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", l.Version, released, promoted, gate)
	}
	return t.Flush()
}
