package status

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

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

// Standing is how much an IOC or a beamline needs somebody.
type Standing struct {
	Level        Level
	Acknowledged bool // somebody knows
}

// Compare orders standings, the worst first: what nobody knows of, then what somebody
// acknowledged, then what is stopped on purpose or well.
func (s Standing) Compare(other Standing) int {
	group := func(s Standing) int {
		switch {
		case s.Level >= Stopped:
			return 2
		case s.Acknowledged:
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(group(s), group(other)), cmp.Compare(s.Level, other.Level))
}

// Standing returns what an IOC needs at a time, and whether somebody knows.
func (i IOC) Standing(now time.Time) Standing { return Standing{i.Level(now), i.known(now)} }

// Standing returns what comes first of all that a beamline needs at a time.
func (s *Status) Standing(now time.Time) Standing {
	worst := Standing{Level: Well}
	if len(s.Strays) > 0 {
		worst.Level = Stray
	}
	if s.Underway != "" {
		worst.Level = Drifted
	}
	for _, i := range s.Instances {
		if one := i.Standing(now); one.Compare(worst) < 0 {
			worst = one
		}
	}
	return worst
}

// Row is one beamline of an overview. A beamline or a cluster that could not be
// read is a row too.
type Row struct {
	Context  string    `json:"context"`            // of the kubeconfig
	Beamline string    `json:"beamline,omitempty"` // empty where the whole cluster could not be read
	Level    Level     `json:"level"`
	Status   *Status   `json:"status,omitempty"` // as it was last read; nil when it never was
	Read     time.Time `json:"read,omitzero"`    // when that was
	Failed   string    `json:"failed,omitempty"` // why it could not be read now
}

const (
	// overviewWithin bounds the reading of one beamline in an overview.
	overviewWithin = 20 * time.Second
	// overviewAtOnce is how many beamlines are read at once: one that does not answer keeps
	// few others from being read.
	overviewAtOnce = 32
)

// Overview returns every beamline that the kubeconfig's contexts reach, the worst
// first. Where access names a context, it is the only one. The error is of kind
// diag.Invalid when the kubeconfig cannot be read.
func Overview(ctx context.Context, access cluster.Access, now time.Time) ([]Row, error) {
	return overview(ctx, access, now, overviewWithin)
}

func overview(ctx context.Context, access cluster.Access, now time.Time, within time.Duration) ([]Row, error) {
	found, err := ledger.Reach(ctx, access)
	if err != nil {
		return nil, err
	}
	rows := make([]Row, len(found))
	_ = step.EachIndex(ctx, overviewAtOnce, len(found), func(ctx context.Context, i int) error {
		rows[i] = rowOf(ctx, found[i], now, within)
		return nil
	})
	worstFirst(rows, now)
	return rows, nil
}

// Recall returns an overview with what an earlier one knew of the beamlines that could not
// be read in it: those of a cluster that does not answer stay rows. Both are as Overview
// returns them, and now is the time of the later one.
func Recall(rows, earlier []Row, now time.Time) []Row {
	type place struct{ context, beamline string }
	is, silent := map[place]int{}, map[string]string{}
	for i, r := range rows {
		is[place{r.Context, r.Beamline}] = i
		if r.Beamline == "" {
			silent[r.Context] = r.Failed
		}
	}
	for _, r := range earlier {
		i, there := is[place{r.Context, r.Beamline}]
		why, gone := silent[r.Context]
		switch {
		case r.Status == nil:
		case there && rows[i].Status == nil:
			rows[i].Status, rows[i].Read = r.Status, r.Read
		case !there && gone:
			r.Level, r.Failed = Unread, why
			rows = append(rows, r)
		}
	}
	worstFirst(rows, now)
	return rows
}

// worstFirst sorts rows by what they need at a time.
func worstFirst(rows []Row, now time.Time) {
	slices.SortStableFunc(rows, func(a, b Row) int {
		return cmp.Or(
			a.Standing(now).Compare(b.Standing(now)), cmp.Compare(a.Beamline, b.Beamline),
			cmp.Compare(a.Context, b.Context),
		)
	})
}

// rowOf reads one beamline, for so long.
func rowOf(ctx context.Context, found ledger.Reached, now time.Time, within time.Duration) Row {
	if found.Err != nil {
		return Row{Context: found.Context, Failed: found.Err.Error()}
	}
	row := Row{Context: found.Context, Beamline: found.Namespace.Beamline}
	read, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	err := step.Run(ctx, "reading "+row.Beamline, func(context.Context) (err error) {
		row.Status, err = Read(read, found.Namespace)
		return err
	})
	switch {
	case err == nil:
		row.Read, row.Level = now, row.Status.Level(now)
		return row
	case errors.Is(err, context.DeadlineExceeded):
		err = fmt.Errorf("no answer within %s: %w", within, err)
	}
	row.Status = nil
	row.Failed, _, _ = strings.Cut(err.Error(), "\n") // the others have the same cause, as a rule
	return row
}

// Standing returns what the row needs at a time.
func (r Row) Standing(now time.Time) Standing {
	if r.Failed != "" {
		return Standing{Level: Unread}
	}
	return r.Status.Standing(now)
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

// Why returns what is worst about a beamline at a time, in one phrase: of the first IOC
// that needs most, and of the first whose trouble somebody acknowledged. Empty where all
// is well.
func (r Row) Why(now time.Time) string {
	switch {
	case r.Failed != "" && r.Status != nil:
		return fmt.Sprintf("it was so %s ago; %s", duration.HumanDuration(now.Sub(r.Read)), r.Failed)
	case r.Failed != "":
		return r.Failed
	}
	worst := r.Status.Standing(now)
	says := r.Status.says(worst, now)
	if worst.Acknowledged {
		return says
	}
	known := Standing{Level: Well}
	for _, i := range r.Status.Instances {
		if one := i.Standing(now); one.Acknowledged && one.Compare(known) < 0 {
			known = one
		}
	}
	if !known.Acknowledged {
		return says
	}
	return says + "; " + r.Status.says(known, now)
}

// says returns one phrase about the first IOC of a standing, or about what else gives the
// beamline that standing.
func (s *Status) says(standing Standing, now time.Time) string {
	for _, i := range s.Instances {
		if standing.Level != Well && i.Standing(now) == standing {
			says := i.Name + ": " + i.why(standing.Level)
			if standing.Acknowledged {
				says += ", " + i.Acknowledged.String()
			}
			return says
		}
	}
	switch {
	case s.Underway != "":
		return s.Change()
	case len(s.Strays) > 0:
		return "pod " + s.Strays[0] + " is no IOC of this beamline"
	case s.Hold != nil:
		return "on hold: " + s.Hold.Reason
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
