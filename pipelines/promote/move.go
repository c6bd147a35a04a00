package promote

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/gate"
	"github.com/tagline-ci/tagline/pipelines/helm"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/pvs"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// sideBySide is how many IOCs are changed at once. They are independent; the
// bound is for the API server's sake.
const sideBySide = 8

// move is one change of a beamline, under its lock.
type move struct {
	Deps
	held   context.Context // ends when the lock is lost, not when the person stops the run: for undoing
	ledger *ledger.Ledger
	to     ledger.Release
	doing  string // "promoting", "rolling back to": how errors begin
	settle func() // makes the ledger say that to runs
	did    string // "promote", "rollback": as the history has it
	reason string // that the person gave
	pass   gate.Pass

	before map[string]pods.State // of each instance, when the move began
	ready  map[string]pods.State // of each instance, when all that must live were ready

	// remedy is true of a rollback: what it left is not returned to when the watch finds
	// something.
	remedy bool
	verify *policy.Verify // what is watched then; nil for nothing
	former alarms         // of the PVs that are watched, when the move began
	// severities is pods.Severities.
	severities func(context.Context, *cluster.Namespace, pods.State, string, []string) (map[string]string, error)
}

// run does the change, or puts everything back.
func (m *move) run(ctx context.Context) (*Result, error) {
	before, _, err := pods.States(ctx, m.Cluster)
	if err != nil {
		return nil, err
	}
	m.before = before
	c, err := m.decide(ctx)
	if err != nil {
		return nil, err
	}
	for _, inst := range m.to.Record.Instances {
		if s := before[inst.Name]; s.IsAway() {
			step.Say(ctx, inst.Name, "is not waited for: "+s.Doing)
		}
	}
	charts, err := m.fetch(ctx, c.deploy)
	if err != nil {
		return nil, err // nothing was touched
	}
	if err := pods.Pull(ctx, m.Cluster, m.images(c)); err != nil {
		return nil, m.failure(
			diag.Broken, err, "nothing was changed: see that the node reaches the registry, then run it again",
		)
	}
	m.former = m.alarmsBefore(ctx, c)
	if err := m.begin(ctx, c); err != nil {
		return nil, err
	}
	values, err := m.apply(ctx, c, charts)
	watched, verified := []record.Instance(nil), ""
	if err == nil {
		watched = m.watched(c)
	}
	if err == nil && !m.remedy {
		verified, err = m.watch(ctx, c, watched)
	}
	if err != nil {
		err = m.undo(ctx, err)
		m.remember(m.held, m.deed(err))
		return nil, err
	}
	deed := m.deed(nil) // before the ledger says that the release runs
	if m.pass.Told() {
		deed.PVs = m.changedPVs(m.held)
	}
	result, err := m.finish(c, values)
	if err != nil {
		return nil, err
	}
	if m.remedy {
		verified, err = m.watchRemedy(ctx, c, watched, &deed)
	}
	result.Verified, deed.Verified, deed.IOCs = verified, verified, c.done(result)
	if len(c.former) > 0 || result.Former != "" {
		m.remember(m.held, deed)
	}
	return result, err
}

func (m *move) decide(ctx context.Context) (*change, error) {
	history, err := helm.Stored(ctx, m.Cluster)
	if err != nil {
		return nil, err
	}
	drifted, err := m.drifted(ctx, history)
	if err != nil {
		return nil, err
	}
	return decide(&m.to.Record, history, drifted, m.ledger.Underway), nil
}

// drifted returns the instances that run their chart and were changed by hand since.
func (m *move) drifted(ctx context.Context, history helm.History) (map[string]bool, error) {
	drifted, mu := map[string]bool{}, sync.Mutex{}
	err := step.Each(ctx, sideBySide, m.to.Record.Instances, func(ctx context.Context, inst record.Instance) error {
		last, _ := history.Latest(inst.Name)
		if !last.Runs() || !last.IsOf(inst.Chart) {
			return nil
		}
		fields, err := helm.Drift(ctx, m.Cluster, inst.Name, m.ledger.Overrides[inst.Name])
		for _, field := range fields {
			step.Say(ctx, inst.Name, "was changed by hand and is set right: "+field)
		}
		mu.Lock()
		defer mu.Unlock()
		drifted[inst.Name] = len(fields) > 0
		return err
	})
	return drifted, err
}

// fetch returns the packaged charts of instances, by name.
func (m *move) fetch(ctx context.Context, instances []record.Instance) (map[string][]byte, error) {
	charts, mu := map[string][]byte{}, sync.Mutex{}
	err := step.Each(ctx, sideBySide, instances, func(ctx context.Context, inst record.Instance) error {
		archive, err := m.Chart(ctx, inst.Chart)
		mu.Lock()
		defer mu.Unlock()
		charts[inst.Name] = archive
		return err
	})
	return charts, err
}

// images returns the images that nodes need before the IOCs on them are replaced. A
// node that is away fetches none.
func (m *move) images(c *change) (all []pods.Image) {
	for _, inst := range c.touched() {
		before := m.before[inst.Name]
		image := pods.Image{Node: before.Node, Ref: string(inst.Image)}
		there := before.Node != "" && !before.IsAway()
		if there && inst.Image != "" && before.Image != string(inst.Image) && !slices.Contains(all, image) {
			all = append(all, image)
		}
	}
	return all
}

// begin writes down what is about to be changed. Where nothing is changed,
// nothing is written.
func (m *move) begin(ctx context.Context, c *change) error {
	if len(c.former) == 0 {
		return nil
	}
	stopped := m.stopAndStart(c)
	m.ledger.Underway = &ledger.Underway{
		Version: m.to.Record.Version,
		Since:   time.Now().UTC(),
		Former:  c.former,
		Unready: m.unready(c.former), Severities: m.former.severity, Stopped: stopped,
	}
	return m.ledger.Save(ctx, m.Cluster)
}

// unready returns the instances that were not ready before this change, or before
// the killed one that it goes on from.
func (m *move) unready(former map[string]int) (names []string) {
	killed := m.ledger.Underway
	for _, name := range slices.Sorted(maps.Keys(former)) {
		ready := m.before[name].Ready
		if killed != nil {
			if _, known := killed.Former[name]; known {
				ready = !slices.Contains(killed.Unready, name)
			}
		}
		if !ready {
			names = append(names, name)
		}
	}
	return names
}

// finish makes the ledger say that the release runs. Stopping the run can undo
// nothing any more, so this lives as long as the lock does.
func (m *move) finish(c *change, values map[string]string) (*Result, error) {
	after, _, err := pods.States(m.held, m.Cluster)
	if err != nil {
		return nil, err
	}
	result := m.result(c, after, values)
	m.settle()
	m.ledger.Underway = nil
	if err := m.ledger.Save(m.held, m.Cluster); err != nil {
		return nil, fmt.Errorf("every IOC of %s %s lives, but it could not be written down: %w",
			m.to.Record.Asset, m.to.Record.Version, err)
	}
	m.prune(m.held)
	m.keepPVs(m.held)
	m.keepAcknowledged(m.held)
	return result, nil
}

// keepAcknowledged forgets what was acknowledged of IOCs that are not in the release. It
// may fail without harm: the next change forgets them.
func (m *move) keepAcknowledged(ctx context.Context) {
	var names []string
	for _, inst := range m.to.Record.Instances {
		names = append(names, inst.Name)
	}
	if err := ledger.KeepAcknowledged(ctx, m.Cluster, names, time.Now()); err != nil {
		step.Say(ctx, "forgetting what was acknowledged", err.Error())
	}
}

// keepPVs keeps which IOC serves which PV. A release that comes back has no
// tests in its record any more, and its PVs are kept already.
func (m *move) keepPVs(ctx context.Context) {
	all := pvs.Of(&m.to.Record)
	if len(all) == 0 {
		return
	}
	var kept []asset.Digest
	for _, r := range m.ledger.Releases {
		kept = append(kept, r.Digest)
	}
	if err := pvs.Save(ctx, m.Cluster, m.to.Digest, all, kept); err != nil {
		step.Say(ctx, "keeping the names of the PVs", err.Error())
	}
}

// prune drops stored revisions that nothing goes back to any more. It may fail
// without harm: the next change drops them.
func (d Deps) prune(ctx context.Context) {
	history, err := helm.Stored(ctx, d.Cluster)
	if err == nil {
		err = helm.Prune(ctx, d.Cluster, history)
	}
	if err != nil {
		step.Say(ctx, "dropping old revisions", err.Error())
	}
}
