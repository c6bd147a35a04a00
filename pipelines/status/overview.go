package status

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Level says how much an IOC or a beamline needs somebody. A lower one is worse.
type Level int

// From the worst to the best.
const (
	Unread    Level = iota // the cluster did not say
	Failing                // an IOC is not ready
	Restarted              // an IOC ended by itself and was started again in the last hour
	Drifted                // the cluster differs from the release, or a change is under way
	Stray                  // a pod is nobody's IOC
	Stopped                // an IOC was stopped on purpose
	Well
)

// MarshalText returns the level in words.
func (l Level) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// String returns the level in words.
func (l Level) String() string {
	return [...]string{"not read", "not ready", "restarted", "drifted", "stray pods", "stopped", "well"}[l]
}

// lately is how long a restart counts.
const lately = time.Hour

// Level returns what an IOC needs at a time.
func (i IOC) Level(now time.Time) Level {
	switch {
	case i.Stopped != nil:
		return Stopped
	case !i.Ready:
		return Failing
	case i.Restarts > 0 && now.Sub(i.Since) < lately:
		return Restarted
	case len(i.Drift) > 0:
		return Drifted
	}
	return Well
}

// Level returns what the worst of a beamline's IOCs needs at a time.
func (s *Status) Level(now time.Time) Level {
	worst := Well
	for _, i := range s.Instances {
		worst = min(worst, i.Level(now))
	}
	if len(s.Strays) > 0 {
		worst = min(worst, Stray)
	}
	if s.Underway != "" {
		worst = min(worst, Drifted)
	}
	return worst
}

// Row is one beamline of an overview. A beamline or a cluster that could not be
// read is a row too.
type Row struct {
	Context  string  `json:"context"`            // of the kubeconfig
	Beamline string  `json:"beamline,omitempty"` // empty where the whole cluster could not be read
	Level    Level   `json:"level"`
	Status   *Status `json:"status,omitempty"`
	Failed   string  `json:"failed,omitempty"` // why there is no Status
}

// overviewWithin bounds the reading of one beamline in an overview.
const overviewWithin = 20 * time.Second

// Overview returns every beamline that the kubeconfig's contexts reach, the worst
// first. Where access names a context, it is the only one. The error is of kind
// diag.Invalid when the kubeconfig cannot be read.
func Overview(ctx context.Context, access cluster.Access, now time.Time) ([]Row, error) {
	found, err := ledger.Reach(ctx, access)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, len(found))
	_ = step.EachIndex(ctx, 8, len(found), func(ctx context.Context, i int) error {
		rows[i] = rowOf(ctx, found[i], now)
		return nil
	})
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(
			cmp.Compare(a.Level, b.Level), cmp.Compare(a.Beamline, b.Beamline), cmp.Compare(a.Context, b.Context),
		)
	})
	return rows, nil
}

// rowOf reads one beamline.
func rowOf(ctx context.Context, found ledger.Reached, now time.Time) Row {
	if found.Err != nil {
		return Row{Context: found.Context, Failed: found.Err.Error()}
	}
	ctx, cancel := context.WithTimeout(ctx, overviewWithin)
	defer cancel()
	row := Row{Context: found.Context, Beamline: found.Namespace.Beamline}
	st, err := Read(ctx, found.Namespace)
	if err != nil {
		row.Failed = err.Error()
		return row
	}
	row.Status, row.Level = st, st.Level(now)
	return row
}

// Ready returns how many IOCs are ready.
func (s *Status) Ready() (count int) {
	for _, i := range s.Instances {
		if i.Ready {
			count++
		}
	}
	return count
}

// Why returns what is worst about a beamline at a time, in one phrase: of the
// first IOC that needs most. Empty where all is well.
func (r Row) Why(now time.Time) string {
	if r.Status == nil {
		return r.Failed
	}
	for _, i := range r.Status.Instances {
		if level := i.Level(now); level == r.Level && level != Well {
			return i.Name + ": " + i.why(level)
		}
	}
	switch {
	case r.Status.Underway != "":
		return "a change to " + r.Status.Underway + " is under way, or was killed"
	case len(r.Status.Strays) > 0:
		return "pod " + r.Status.Strays[0] + " is no IOC of this beamline"
	case r.Status.Hold != nil:
		return "on hold: " + r.Status.Hold.Reason
	}
	return ""
}

func (i IOC) why(level Level) string {
	switch level {
	case Restarted:
		return fmt.Sprintf("restarted %d times", i.Restarts)
	case Drifted:
		return i.Drift[0]
	}
	return i.Doing
}
