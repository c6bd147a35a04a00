package cli

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/status"
)

// newStatus is `tagline status`.
func newStatus(a *app) *cobra.Command {
	b := &beamlineCluster{}
	cmd := &cobra.Command{
		Use:     "status BEAMLINE",
		Short:   "Show what a beamline runs",
		Long:    "Shows every IOC instance of a beamline: what it runs, where, since when, and where\nthe cluster differs from the release, because somebody changed it by hand or a\npromotion was killed.",
		Example: "  tagline status bl01t\n  tagline status bl01t --output json",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, given []string) error {
			n, err := a.openCluster(cmd.Context(), b, given[0])
			if err != nil {
				return err
			}
			st, err := status.Read(cmd.Context(), n)
			if err != nil {
				return err
			}
			return a.print(st, func(w io.Writer) error { return writeStatus(w, st, time.Now()) })
		},
	}
	b.flags(cmd)
	return cmd
}

// writeStatus shows a status as a person reads it.
func writeStatus(w io.Writer, st *status.Status, now time.Time) error {
	if st.Version == "" {
		fmt.Fprintf(w, "%s: no release was promoted to namespace %s\n", st.Beamline, st.Namespace)
	} else {
		fmt.Fprintf(w, "%s %s, promoted %s ago, record %s\n", st.Beamline, st.Version, duration.HumanDuration(now.Sub(st.Since)), asset.Digest(st.Record).Short())
	}
	if len(st.Before) > 0 {
		fmt.Fprintf(w, "before: %s\n", strings.Join(st.Before, ", "))
	}
	if st.Underway != "" {
		fmt.Fprintf(w, "a promotion to %s is under way, or was killed: promote again to finish it, or roll back\n", st.Underway)
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "INSTANCE\tVERSION\tGENERIC IOC\tIMAGE\tNODE\tREADY\tRESTARTS\tSINCE")
	for _, i := range st.Instances {
		ready, since := "yes", "-"
		if !i.Ready {
			ready = "no"
		}
		if !i.Since.IsZero() {
			since = duration.HumanDuration(now.Sub(i.Since))
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n", i.Name, or(i.Version), or(i.IOC), or(asset.Digest(i.Digest).Short()), or(i.Node), ready, i.Restarts, since)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, i := range st.Instances {
		if !i.Ready {
			fmt.Fprintf(w, "%s: %s\n", i.Name, i.Doing)
		}
		for _, d := range i.Drift {
			fmt.Fprintf(w, "%s differs from the release: %s\n", i.Name, d)
		}
	}
	for _, pod := range st.Strays {
		fmt.Fprintf(w, "pod %s is no IOC of this beamline\n", pod)
	}
	return nil
}

// or gives a dash for what is not known.
func or(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
