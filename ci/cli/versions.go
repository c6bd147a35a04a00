package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/gate"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// versionLine is one version of a beamline.
type versionLine struct {
	Version  asset.Version `json:"version"`
	Released bool          `json:"released"`       // the registry has its record
	Runs     bool          `json:"runs"`           // it runs now
	Since    time.Time     `json:"since,omitzero"` // when it was promoted last; zero where that is not remembered
	Open     bool          `json:"open"`           // the gate would let it through now
	Against  []string      `json:"against"`        // the gate's reasons, or why it could not be asked
	Asked    bool          `json:"asked"`          // whether the gate was asked
}

// mostJudged is how many versions the gate is asked about: each is verified.
const mostJudged = 10

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
			lines := versionLines(released, l)
			if missing == nil {
				q, err := a.inquiryIn(cmd.Context(), b, n, reg)
				judge(cmd.Context(), q, err, lines)
				onHold(lines, l)
			}
			if err := a.print(lines, func(w io.Writer) error { return writeVersions(w, lines) }); err != nil {
				return err
			}
			return missing
		},
	}, beamlineArg)
	s.flags(cmd)
	b.flags(cmd)
	return cmd
}

// versionLines returns a line for each version that was released or ran, the
// released ones first, in their order.
func versionLines(released []asset.Version, l *ledger.Ledger) []versionLine {
	lines := []versionLine{}
	for _, v := range released {
		lines = append(lines, versionLine{Version: v, Released: true, Against: []string{}})
	}
	for _, ran := range slices.Backward(l.Releases) { // the newest last, so that its time stays
		at := slices.IndexFunc(lines, func(line versionLine) bool { return line.Version == ran.Record.Version })
		if at < 0 {
			lines, at = append(lines, versionLine{Version: ran.Record.Version, Against: []string{}}), len(lines)
		}
		lines[at].Since = ran.Since
		lines[at].Runs = ran.Digest == l.Current().Digest
	}
	return lines
}

// judge asks the gate about the newest releases; err is why it can't be asked.
func judge(ctx context.Context, q *gate.Inquiry, err error, lines []versionLine) {
	lines = lines[:min(len(lines), mostJudged)]
	_ = step.EachIndex(ctx, 4, len(lines), func(ctx context.Context, i int) error {
		lines[i].ask(func(v asset.Version) error {
			if err != nil {
				return err
			}
			verdict, err := q.Ask(ctx, v, "")
			if err == nil {
				_, err = verdict.Pass()
			}
			return err
		})
		return nil
	})
}

// onHold adds the hold that a rollback has placed, which the gate knows nothing of.
func onHold(lines []versionLine, l *ledger.Ledger) {
	if l.Hold == nil {
		return
	}
	for i := range lines {
		if lines[i].Asked && !lines[i].Runs {
			lines[i].Open = false
			lines[i].Against = append(lines[i].Against, "the beamline is on hold: "+l.Hold.Reason)
		}
	}
}

// ask fills in what the gate says. pass returns the reasons against a version,
// joined.
func (l *versionLine) ask(pass func(asset.Version) error) {
	if !l.Released {
		return
	}
	err := pass(l.Version)
	l.Asked, l.Open = true, err == nil
	for _, e := range diag.All(err) {
		var d *diag.Error
		if errors.As(e, &d) {
			e = d.Err
		}
		l.Against = append(l.Against, e.Error())
	}
}

// writeVersions shows versions as a person reads them.
func writeVersions(w io.Writer, lines []versionLine) error {
	if len(lines) == 0 {
		fmt.Fprintln(w, "nothing was released")
		return nil
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "VERSION\tRELEASED\tPROMOTED\tGATE")
	for _, l := range lines {
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
