package promote

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// putBack makes the beamline what it was before the move that failed with cause,
// and gives the error that tells of both. ctx may be over: a person who stops a
// promotion wants the beamline back too.
func (m *move) putBack(ctx context.Context, cause error) error {
	if errors.Is(context.Cause(ctx), cluster.ErrLockLost) {
		return m.failure(diag.Broken, cluster.ErrLockLost, "see that the cluster answers, then run it again: it finishes or undoes what was begun")
	}
	if ctx.Err() != nil {
		cause = errors.New("interrupted")
	}
	if m.ledger.Underway == nil {
		return m.failure(diag.Broken, cause, "nothing was changed, as this release is what is deployed: see the IOC's log, mend what it needs and run it again")
	}
	back := m.ledger.Current()
	now := "the beamline is as it was before its first promotion"
	if back != nil {
		now = "the beamline is back on " + back.Record.Version
	}
	if err := m.Deps.putBack(m.held, m.ledger); err != nil {
		return m.failure(diag.Broken, errors.Join(cause, fmt.Errorf("and putting the beamline back: %w", err)),
			"see that the cluster answers, then promote or roll back again: what was begun is written down")
	}
	return m.failure(diag.Undone, cause, now+"; mend the cause, then promote again, or tag and promote a new version")
}

// undoWithin is the least time that putting back may take: who is in a hurry to
// see a promotion fail still wants the beamline back.
const undoWithin = 2 * time.Minute

// putBack undoes the change that the ledger says is under way, and waits until
// the IOCs that were ready before it are ready again.
func (d Deps) putBack(ctx context.Context, ledger *cluster.Ledger) error {
	ctx, cancel := context.WithTimeout(ctx, max(d.Timeout, undoWithin))
	defer cancel()
	return step.Run(ctx, "putting "+d.Cluster.Beamline+" back", func(ctx context.Context) error {
		err := d.restore(ctx, ledger.Underway.Former)
		for try := 1; err != nil && try < tries && ctx.Err() == nil; try++ {
			step.Say(ctx, "putting "+d.Cluster.Beamline+" back", "trying again after: "+err.Error())
			time.Sleep(tryAgain)
			err = d.restore(ctx, ledger.Underway.Former)
		}
		if err != nil {
			return err
		}
		if err := d.Cluster.Wait(ctx, expected(ledger.Underway)); err != nil {
			return err
		}
		ledger.Underway = nil
		return d.Cluster.Save(ctx, ledger)
	})
}

// restore makes Helm's releases what they were. Doing it twice does no harm.
func (d Deps) restore(ctx context.Context, former map[string]int) error {
	history, err := d.Cluster.History(ctx)
	if err != nil {
		return err
	}
	b := undo(former, history)
	m := &move{Deps: d}
	if err := m.remove(ctx, b.remove); err != nil {
		return err
	}
	return step.Each(ctx, sideBySide, slices.Sorted(maps.Keys(b.restore)), func(ctx context.Context, name string) error {
		step.Say(ctx, name, fmt.Sprintf("putting back revision %d", b.restore[name]))
		return d.Cluster.Restore(ctx, name, b.restore[name])
	})
}

// expected gives the instances that must get ready when a change is undone.
func expected(u *cluster.Underway) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(u.Former)) {
		if u.Former[name] != 0 && !slices.Contains(u.Unready, name) {
			names = append(names, name)
		}
	}
	return names
}

// failure tells of a move that failed: one sentence, then what the cluster and
// the IOCs said.
func (m *move) failure(kind diag.Kind, cause error, fix string) error {
	var lines, evidence []string
	for _, e := range diag.All(cause) {
		lines = append(lines, e.Error())
		var t *cluster.Trouble
		if errors.As(e, &t) && t.Evidence() != "" {
			evidence = append(evidence, t.Evidence())
		}
	}
	// The text alone: a cause that is a diag.Error or a cancelled context must not
	// decide what this one is.
	err := &diag.Error{Kind: kind, Doing: m.doing, Asset: m.to.Record.Asset, Version: m.to.Record.Version, Fix: fix, Err: errors.New(strings.Join(lines, ", "))}
	if len(evidence) == 0 {
		return err
	}
	return fmt.Errorf("%w\n%s", err, strings.Join(evidence, "\n"))
}
