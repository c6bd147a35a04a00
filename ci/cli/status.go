package cli

import (
	"context"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/klog/v2"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/status"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// newStatus is `tagline status`.
func newStatus(a *app) *cobra.Command {
	b, watch := &beamlineCluster{}, false
	cmd := a.takes(&cobra.Command{
		Use:   "status [BEAMLINE]",
		Short: "Show what a beamline runs, or all of them",
		Long: "Shows every IOC instance of a beamline: what it runs, where, since when, and where\n" +
			"the cluster differs from the release, because somebody changed it by hand or a\n" +
			"promotion was killed. Without a beamline it shows every one that the kubeconfig's\n" +
			"contexts reach, the worst first.",
		Example: "  tagline status\n  tagline status bl01t --watch\n  tagline status bl01t --output json",
		RunE: func(cmd *cobra.Command, given []string) error {
			var rows []status.Row // as they were shown last
			show := func(ctx context.Context) (err error) {
				rows, err = a.overview(ctx, b, rows)
				return err
			}
			if len(given) == 1 {
				show = func(ctx context.Context) error { return a.statusOf(ctx, b, given[0]) }
			}
			if !watch {
				return show(cmd.Context())
			}
			return a.watch(cmd.Context(), show)
		},
	}, beamlineArg.orNone())
	b.flags(cmd)
	cmd.Flags().BoolVarP(&watch, "watch", "w", false, "show it again every two seconds, until Ctrl-C")
	return cmd
}

// statusOf shows one beamline.
func (a *app) statusOf(ctx context.Context, b *beamlineCluster, beamline string) error {
	n, _, err := a.openKnown(ctx, b, beamline)
	if err != nil {
		return err
	}
	st, err := status.Read(ctx, n)
	if err != nil {
		return err
	}
	return a.print(st, func(w io.Writer) error { return writeStatus(w, st, time.Now()) })
}

// overview shows all beamlines, with what was shown before of those that can't be read, and
// returns what it shows. On a terminal it says which it waits for.
func (a *app) overview(ctx context.Context, b *beamlineCluster, before []status.Row) ([]status.Row, error) {
	klog.SetLogger(logr.Discard())
	if err := a.kubeconfig(b); err != nil {
		return before, err
	}
	now, waits := time.Now(), newProgress(a.Err)
	rows, err := status.Overview(step.WithSink(ctx, waits.glance), b.access, now)
	waits.close()
	if err != nil {
		return before, err
	}
	rows = status.Recall(rows, before, now)
	return rows, a.print(rows, func(w io.Writer) error { return writeOverview(w, rows, now) })
}

const watchEvery = 2 * time.Second

// watch shows something again and again. What cannot be read for a while is said,
// and read again.
func (a *app) watch(ctx context.Context, show func(context.Context) error) error {
	for {
		if isTerminal(a.Out) {
			fmt.Fprint(a.Out, "\x1b[H\x1b[2J")
		}
		if err := show(ctx); err != nil && ctx.Err() == nil {
			if diag.KindOf(err) == diag.Invalid {
				return err
			}
			a.complain(err)
		}
		select {
		case <-ctx.Done():
			return nil // Ctrl-C is how watching ends
		case <-time.After(watchEvery):
		}
	}
}

// writeOverview shows all beamlines as a person reads them.
func writeOverview(w io.Writer, rows []status.Row, now time.Time) error {
	if len(rows) == 0 {
		fmt.Fprintln(w, "no beamline was promoted to the clusters of this kubeconfig: see that it is the right one")
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "BEAMLINE\tSTATE\tREADY\tVERSION\tPROMOTED\tCONTEXT\tWHY")
	for _, r := range rows {
		ready, version, since := "-", "-", "-"
		if r.Status != nil {
			ready = fmt.Sprintf("%d of %d", r.Status.Ready(), len(r.Status.Instances))
			version = or(r.Status.Version)
			if !r.Status.Since.IsZero() {
				since = duration.HumanDuration(now.Sub(r.Status.Since)) + " ago"
			}
		}
		fmt.Fprintf(
			t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", or(r.Beamline), r.Level, ready, version, since, r.Context,
			or(r.Why(now)),
		)
	}
	return t.Flush()
}

// writeStatus shows a status as a person reads it.
func writeStatus(w io.Writer, st *status.Status, now time.Time) error {
	if st.Version == "" {
		fmt.Fprintf(
			w, "%s: no release was promoted to namespace %s; see tagline history %s\n", st.Beamline, st.Namespace,
			st.Beamline,
		)
	} else {
		fmt.Fprintf(
			w,
			"%s %s, promoted %s ago, record %s\n",
			st.Beamline,
			st.Version,
			duration.HumanDuration(now.Sub(st.Since)),
			asset.Digest(st.Record).Short(),
		)
	}
	if len(st.Before) > 0 {
		fmt.Fprintf(w, "before: %s\n", strings.Join(st.Before, ", "))
	}
	if change := st.Change(); change != "" {
		next := ": promote again to finish it, or roll back"
		if st.Changing != "" {
			next = ": what you change waits for it"
		}
		fmt.Fprintln(w, change+next)
	}
	if st.Hold != nil {
		fmt.Fprintf(w, "on hold: %s by %s; --lift-hold of tagline promote ends it\n", st.Hold.Reason, st.Hold.By)
	}
	if len(st.Instances) == 0 {
		fmt.Fprintln(w, "it has no IOC")
		return writeStrays(w, st)
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
		fmt.Fprintf(
			t,
			"%s\t%s\t%s\t%s\t%s\t%s\t%d\t%s\n",
			i.Name,
			or(i.Version),
			or(i.IOC),
			or(asset.Digest(i.Digest).Short()),
			or(i.Node),
			ready,
			i.Restarts,
			since,
		)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, i := range st.Instances {
		if !i.Ready {
			fmt.Fprintf(w, "%s: %s\n", i.Name, i.Doing)
		}
		if i.Stopped != nil {
			fmt.Fprintf(w, "%s stays so until: tagline start %s %s --reason \"…\"\n", i.Name, st.Beamline, i.Name)
		}
		if i.Moved != "" {
			fmt.Fprintf(w, "%s was moved to node %s\n", i.Name, i.Moved)
		}
		for _, d := range i.Drift {
			fmt.Fprintf(w, "%s differs from the release: %s\n", i.Name, d)
		}
		if i.Acknowledged != nil {
			fmt.Fprintf(w, "%s: %s\n", i.Name, i.Acknowledged)
		}
	}
	return writeStrays(w, st)
}

// writeStrays shows the pods that are nobody's.
func writeStrays(w io.Writer, st *status.Status) error {
	for _, pod := range st.Strays {
		fmt.Fprintf(w, "pod %s is no IOC of this beamline\n", pod)
	}
	return nil
}

// or returns a dash for what is not known.
func or(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
