package promote

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/helm"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// undoWithin is the least time that putting back may take, whatever Deps.Timeout
// is: a short timeout is for seeing a promotion fail, not for losing the beamline.
const undoWithin = 2 * time.Minute

// undo makes the beamline what it was before the move that failed with cause,
// and returns the error that describes both. ctx may have ended: whoever stops a
// promotion wants the beamline back too.
func (m *move) undo(ctx context.Context, cause error) error {
	if m.held.Err() != nil || errors.Is(cause, ledger.ErrLockLost) {
		return m.failure(diag.Broken, ledger.ErrLockLost, fmt.Sprintf(
			"see tagline status %[1]s: if no other run went on from here, run it again to finish it, "+
				"or tagline rollback %[1]s to put it back", m.to.Record.Asset,
		))
	}
	if ctx.Err() != nil {
		cause = errors.New("interrupted")
	}
	if m.ledger.Underway == nil {
		return m.failure(diag.Broken, cause, "nothing was changed, as this release is what is deployed: "+
			"see the IOC's log, mend what it needs and run it again")
	}
	now := "the beamline is as it was before its first promotion"
	if former := m.ledger.Current(); former != nil {
		now = "the beamline is back on " + former.Record.Version.String()
	}
	if err := m.putBack(m.held, m.ledger); err != nil {
		return m.failure(diag.Broken, errors.Join(cause, fmt.Errorf("and putting the beamline back: %w", err)),
			fmt.Sprintf("see that the cluster answers, then put it back with tagline rollback %s: what was begun "+
				"is written down", m.to.Record.Asset))
	}
	return m.failure(diag.Undone, cause, now+"; mend the cause, then promote again, or tag and promote a new version")
}

// putBack undoes the change that the ledger has under way, and waits until the
// IOCs that were ready before it are ready again.
func (d Deps) putBack(ctx context.Context, past *ledger.Ledger) error {
	ctx, cancel := context.WithTimeout(ctx, max(d.Timeout, undoWithin))
	defer cancel()
	name := "putting " + d.Cluster.Beamline + " back"
	past.Unstop()
	return step.Run(ctx, name, func(ctx context.Context) error {
		err := d.restore(ctx, past.Underway.Former, past.Overrides)
		for try := 1; err != nil && try < tries && ctx.Err() == nil; try++ {
			step.Say(ctx, name, "trying again after: "+err.Error())
			time.Sleep(tryAgain)
			err = d.restore(ctx, past.Underway.Former, past.Overrides)
		}
		if err != nil {
			return err
		}
		if err := pods.Wait(ctx, d.Cluster, expected(past.Underway)); err != nil {
			return err
		}
		past.Underway = nil
		if err := past.Save(ctx, d.Cluster); err != nil {
			return err
		}
		d.prune(ctx)
		return nil
	})
}

// restore makes Helm's releases what they were. Doing it twice does no harm.
func (d Deps) restore(ctx context.Context, former map[string]int, overrides map[string]ledger.Override) error {
	history, err := helm.Stored(ctx, d.Cluster)
	if err != nil {
		return err
	}
	revisions, remove := wayBack(former, history)
	if err := d.remove(ctx, remove); err != nil {
		return err
	}
	return step.Each(
		ctx,
		sideBySide,
		slices.Sorted(maps.Keys(revisions)),
		func(ctx context.Context, name string) error {
			step.Say(ctx, name, fmt.Sprintf("putting back revision %d", revisions[name]))
			return helm.Restore(ctx, d.Cluster, name, revisions[name], overrides[name])
		},
	)
}

// expected returns the instances that must get ready when a change is undone.
func expected(u *ledger.Underway) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(u.Former)) {
		if u.Former[name] != 0 && !slices.Contains(u.Unready, name) {
			names = append(names, name)
		}
	}
	return names
}

// failure returns the error of a move that failed: one sentence, then what the
// cluster and the IOCs said.
func (m *move) failure(kind diag.Kind, cause error, fix string) error {
	var lines, evidence []string
	for _, e := range diag.All(cause) {
		lines = append(lines, e.Error())
		var t *pods.Trouble
		if errors.As(e, &t) && t.Evidence() != "" {
			evidence = append(evidence, t.Evidence())
		}
	}
	// The text alone: a cause that is a diag.Error or a cancelled context must not
	// decide the kind of this one.
	err := &diag.Error{
		Kind:    kind,
		Doing:   m.doing,
		Asset:   string(m.to.Record.Asset),
		Version: m.to.Record.Version.String(),
		Fix:     fix,
		Err:     errors.New(strings.Join(lines, ", ")),
	}
	if len(evidence) == 0 {
		return err
	}
	return fmt.Errorf("%w\n%s", err, strings.Join(evidence, "\n"))
}
