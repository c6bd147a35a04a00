package promote

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/tagline-ci/tagline/pipelines/helm"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
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

	before map[string]pods.State // of each instance, when the move began
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
	charts, err := m.fetch(ctx, c.deploy)
	if err != nil {
		return nil, err // nothing was touched
	}
	if err := m.begin(ctx, c); err != nil {
		return nil, err
	}
	values, err := m.apply(ctx, c, charts)
	if err != nil {
		return nil, m.undo(ctx, err)
	}
	return m.finish(c, values)
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
		fields, err := helm.Drift(ctx, m.Cluster, inst.Name)
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

// begin writes down what is about to be changed. Where nothing is changed,
// nothing is written.
func (m *move) begin(ctx context.Context, c *change) error {
	if len(c.former) == 0 {
		return nil
	}
	m.ledger.Underway = &ledger.Underway{
		Version: m.to.Record.Version,
		Since:   time.Now().UTC(),
		Former:  c.former,
		Unready: m.unready(c.former),
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

// apply makes the cluster what c says, and returns the value of each IOC's PV.
func (m *move) apply(ctx context.Context, c *change, charts map[string][]byte) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, m.Timeout)
	defer cancel()
	// What leaves goes first: two IOCs must never hold one device or serve one PV.
	if err := m.remove(ctx, c.remove); err != nil {
		return nil, err
	}
	err := step.Each(ctx, sideBySide, c.touched(), func(ctx context.Context, inst record.Instance) error {
		return step.Run(ctx, "deploying "+inst.Name+" "+m.to.Record.Version, func(ctx context.Context) error {
			if archive, ok := charts[inst.Name]; ok {
				return helm.Deploy(ctx, m.Cluster, m.to, inst, archive)
			}
			return helm.Restore(ctx, m.Cluster, inst.Name, c.stored(inst.Name))
		})
	})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, inst := range m.to.Record.Instances {
		names = append(names, inst.Name)
	}
	err = step.Run(ctx, "waiting for the IOCs of "+m.to.Record.Asset, func(ctx context.Context) error {
		return pods.Wait(ctx, m.Cluster, names)
	})
	if err != nil {
		return nil, err
	}
	return m.ask(ctx)
}

// remove uninstalls instances and waits until their IOCs have stopped.
func (d Deps) remove(ctx context.Context, instances []string) error {
	if len(instances) == 0 {
		return nil
	}
	states, _, err := pods.States(ctx, d.Cluster)
	if err != nil {
		return err
	}
	var stopping []string
	for _, name := range instances {
		if pod := states[name].Pod; pod != "" {
			stopping = append(stopping, pod)
		}
	}
	err = step.Each(ctx, sideBySide, instances, func(ctx context.Context, name string) error {
		return step.Run(
			ctx,
			"removing "+name,
			func(ctx context.Context) error { return helm.Remove(ctx, d.Cluster, name) },
		)
	})
	if err != nil {
		return err
	}
	return pods.Gone(ctx, d.Cluster, stopping)
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
		return nil, fmt.Errorf(
			"every IOC of %s %s lives, but it could not be written down: %w",
			m.to.Record.Asset,
			m.to.Record.Version,
			err,
		)
	}
	return result, nil
}

// result returns what became of every IOC, judged by its pod.
func (m *move) result(c *change, after map[string]pods.State, values map[string]string) *Result {
	r := &Result{Beamline: m.to.Record.Asset, Version: m.to.Record.Version, Record: m.to.Digest, IOCs: []IOC{}}
	if now := m.ledger.Current(); now != nil && now.Digest != m.to.Digest {
		r.Former = now.Record.Version
	}
	for _, inst := range m.to.Record.Instances {
		r.IOCs = append(
			r.IOCs,
			IOC{
				Name:  inst.Name,
				Did:   did(m.before[inst.Name], after[inst.Name]),
				PV:    inst.ProbePV,
				Value: values[inst.Name],
			},
		)
	}
	for _, name := range c.remove {
		r.IOCs = append(r.IOCs, IOC{Name: name, Did: Removed})
	}
	return r
}

func did(before, after pods.State) string {
	switch {
	case before.Pod == "":
		return Started
	case before.UID != after.UID:
		return Restarted
	}
	return Unchanged
}
