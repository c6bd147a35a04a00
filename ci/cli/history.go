package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/ledger"
)

// newHistory is `tagline history`.
func newHistory(a *app) *cobra.Command {
	b := &beamlineCluster{}
	cmd := a.takes(&cobra.Command{
		Use:   "history BEAMLINE",
		Short: "Show what was done to a beamline",
		Long: "Shows what was done to a beamline, the newest first: promotions and rollbacks, and\n" +
			"IOCs that were stopped, started, restarted, moved and removed, and whose troubles were\n" +
			"acknowledged; by whom, why, and how it ended. The cluster keeps it, also of a beamline that was removed.",
		Example: "  tagline history bl01t\n  tagline history bl01t --output json",
		RunE: func(cmd *cobra.Command, given []string) error {
			n, err := a.openCluster(cmd.Context(), b, given[0])
			if err != nil {
				return err
			}
			entries, err := ledger.Entries(cmd.Context(), n)
			if err == nil && len(entries) == 0 {
				_, err = ledger.Known(cmd.Context(), n)
			}
			if err != nil {
				return err
			}
			return a.print(entries, func(w io.Writer) error { return writeHistory(w, entries) })
		},
	}, beamlineArg)
	b.flags(cmd)
	return cmd
}

// writeHistory shows a history as a person reads it.
func writeHistory(w io.Writer, entries []ledger.Entry) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "TIME\tDID\tWHAT\tBY\tREASON\tENDED")
	for _, e := range entries {
		what := e.Instance
		if what == "" {
			what = e.Version
		}
		if e.From != "" && e.From != e.Version {
			what += " from " + e.From
		}
		ended, _, _ := strings.Cut(e.Ended(), "\n")
		fmt.Fprintf(
			t, "%s\t%s\t%s\t%s\t%s\t%s\n", e.Time.Local().Format(time.DateTime), e.Did, or(what), e.By, or(e.Why()),
			ended,
		)
	}
	return t.Flush()
}
