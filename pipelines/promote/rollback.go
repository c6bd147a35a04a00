package promote

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/events"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
)

// Rollback makes a beamline run a release again that ran there before: the
// former one, or version when it is given. It needs the registry only for IOCs
// whose chart the cluster has forgotten. After a promotion that was killed, the
// former release is the one that ran before that, and is put back unasked: a
// beamline between two releases serves nobody. Otherwise Deps.May is asked, and what
// the policy has verified is watched afterwards. The error is of kind
// diag.Refused when there is no such release, and diag.Undone when an IOC does
// not live on it: then the beamline is as it was. It is of kind diag.Unwell, beside a
// Result, when the watch finds what is not as before: the beamline stays on the release,
// because the one that it left is no better.
func Rollback(ctx context.Context, deps Deps, version string) (*Result, error) {
	if _, err := ledger.Known(ctx, deps.Cluster); err != nil {
		return nil, err // before the lock: there may be no namespace to hold it
	}
	var result *Result
	err := ledger.Locked(ctx, deps.Cluster, deps.Holder, func(ctx, held context.Context, n *cluster.Namespace) error {
		deps.Cluster = n
		past, err := ledger.Read(ctx, n)
		if err != nil {
			return err
		}
		if past.Underway != nil && version == "" {
			result, err = deps.recover(ctx, past)
			return err
		}
		i, err := pick(n.Beamline, past, version)
		if err != nil {
			return err
		}
		to := past.Releases[i]
		pass, err := deps.May(ctx, to)
		if err != nil {
			return err
		}
		to.Since = time.Now().UTC()
		hold := deps.holdAfter(past, to)
		m := &move{Deps: deps, held: held, ledger: past, to: to, doing: "rolling back to", did: "rollback", pass: pass}
		m.verify, m.severities, m.remedy = pass.Verify(), pods.Severities, true
		m.settle = func() { past.Return(to); past.Hold = hold }
		result, err = m.run(ctx)
		return err
	})
	return result, err
}

// hold is what a rollback leaves, so that what was left is not promoted again
// before somebody says why it may be.
func (d Deps) hold(from string) *ledger.Note {
	return &ledger.Note{By: d.Holder, Since: time.Now().UTC(), Reason: "rolled back from " + from}
}

// holdAfter returns the hold that a return to a release leaves. What is left is the
// release that a killed promotion was going to, or else the one that runs; a beamline
// that leaves neither keeps the hold that it has.
func (d Deps) holdAfter(past *ledger.Ledger, to ledger.Release) *ledger.Note {
	if u := past.Underway; u != nil && u.Version != to.Record.Version {
		return d.hold(u.Version.String())
	}
	if now := past.Current(); now.Digest != to.Digest {
		return d.hold(now.Record.Version.String())
	}
	return past.Hold
}

// pick returns the place in the ledger of the release to return to.
func pick(beamline string, past *ledger.Ledger, version string) (int, error) {
	refused := func(fix, format string, args ...any) error {
		return &diag.Error{
			Kind:    diag.Refused,
			Doing:   "rolling back",
			Asset:   beamline,
			Version: version,
			Fix:     fix,
			Err:     fmt.Errorf(format, args...),
		}
	}
	now := past.Current()
	if now == nil {
		return 0, refused(
			"promote a release: tagline promote "+beamline+" VERSION",
			"nothing was ever promoted there",
		)
	}
	if version == "" {
		if len(past.Releases) < 2 {
			return 0, refused(
				"promote the version you want: tagline promote "+beamline+" VERSION",
				"there is no former release: none that ran before %s is remembered there",
				now.Record.Version,
			)
		}
		return 1, nil
	}
	var ran []string
	for _, r := range past.Releases {
		ran = append(ran, r.Record.Version.String())
	}
	i := slices.Index(ran, version)
	if i < 0 {
		return 0, refused(
			"name one of these, or promote it: tagline promote "+beamline+" "+version,
			"it is not among the releases that are remembered there: %s",
			strings.Join(ran, ", "),
		)
	}
	return i, nil
}

// recover puts back what a killed promotion changed.
func (d Deps) recover(ctx context.Context, past *ledger.Ledger) (*Result, error) {
	before, _, err := pods.States(ctx, d.Cluster)
	if err != nil {
		return nil, err
	}
	former, target := past.Underway.Former, past.Underway.Version.String()
	past.Hold = d.hold(target)
	if err := d.putBack(ctx, past); err != nil {
		return nil, err
	}
	d.remember(ctx, events.Deed{Entry: ledger.Entry{Did: "rollback", Version: current(past), From: target}})
	after, _, err := pods.States(ctx, d.Cluster)
	if err != nil {
		return nil, err
	}
	r := &Result{Beamline: d.Cluster.Beamline, Former: target, IOCs: []IOC{}}
	if now := past.Current(); now != nil {
		r.Version, r.Record = now.Record.Version.String(), string(now.Digest)
	}
	for name, number := range former {
		ioc := IOC{Name: name, Did: did(before[name], after[name])}
		if number == 0 {
			ioc.Did = Removed
		}
		r.IOCs = append(r.IOCs, ioc)
	}
	slices.SortFunc(r.IOCs, func(a, b IOC) int { return strings.Compare(a.Name, b.Name) })
	return r, nil
}

// current returns the version that the ledger says runs, empty for none.
func current(past *ledger.Ledger) string {
	if now := past.Current(); now != nil {
		return now.Record.Version.String()
	}
	return ""
}
