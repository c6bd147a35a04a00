package promote

import (
	"context"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/helm"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// apply makes the cluster what c says, and returns the value of each IOC's PV.
func (m *move) apply(ctx context.Context, c *change, charts map[string][]byte) (map[string]string, error) {
	ctx, cancel := context.WithTimeout(ctx, m.Timeout)
	defer cancel()
	// What leaves goes first: two IOCs must never hold one device or serve one PV.
	if err := m.remove(ctx, c.remove); err != nil {
		return nil, err
	}
	err := step.Each(ctx, sideBySide, c.touched(), func(ctx context.Context, inst record.Instance) error {
		return step.Run(ctx, "deploying "+inst.Name+" "+m.to.Record.Version.String(), func(ctx context.Context) error {
			if archive, ok := charts[inst.Name]; ok {
				return helm.Deploy(ctx, m.Cluster, m.to, inst, archive, m.ledger.Overrides[inst.Name])
			}
			return helm.Restore(ctx, m.Cluster, inst.Name, c.stored(inst.Name), m.ledger.Overrides[inst.Name])
		})
	})
	if err != nil {
		return nil, err
	}
	now, _, err := pods.States(ctx, m.Cluster)
	if err != nil {
		return nil, err
	}
	required := m.required(c, now)
	err = step.Run(ctx, "waiting for the IOCs of "+string(m.to.Record.Asset), func(ctx context.Context) error {
		return pods.Wait(ctx, m.Cluster, names(required))
	})
	if err != nil {
		return nil, err
	}
	if m.ready, _, err = pods.States(ctx, m.Cluster); err != nil {
		return nil, err
	}
	return m.ask(ctx, required)
}

// required returns the instances that must live for the change to succeed: those
// whose pod it replaces and those that were ready before. One that was dead
// already is not this change's fault, though each release deploys its chart anew. A
// change that touches nothing is for asking, so it asks all. An IOC that people
// stopped is never required, nor is one whose node is gone, or does not answer: it runs what
// it is given when that comes back, or elsewhere when somebody moves it, and nobody could ask
// it before. now is what the cluster has after the change was applied.
func (m *move) required(c *change, now map[string]pods.State) (all []record.Instance) {
	for _, inst := range m.to.Record.Instances {
		former, touched := c.former[inst.Name]
		before := m.before[inst.Name]
		if touched && former != 0 && slices.Contains(m.ledger.Underway.Unready, inst.Name) {
			// it stays dead where its pod stays
			touched = before.Pod == "" || before.Template != now[inst.Name].Template
		}
		away := m.ledger.Overrides[inst.Name].Stopped != nil || before.IsAway()
		if !away && (touched || len(c.former) == 0 || before.Ready) {
			all = append(all, inst)
		}
	}
	return all
}

func names(instances []record.Instance) (all []string) {
	for _, inst := range instances {
		all = append(all, inst.Name)
	}
	return all
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
	var stopping, lost []string
	for _, name := range instances {
		switch s := states[name]; {
		case s.Lost != "":
			step.Say(ctx, name, "is not waited for: "+s.Doing)
		case s.Ready:
			stopping = append(stopping, s.Pod)
		case s.Pod != "":
			lost = append(lost, s.Pod)
		}
	}
	err = step.Each(ctx, sideBySide, instances, func(ctx context.Context, name string) error {
		return step.Run(
			ctx, "removing "+name, func(ctx context.Context) error { return helm.Remove(ctx, d.Cluster, name) },
		)
	})
	if err != nil {
		return err
	}
	if err := pods.Gone(ctx, d.Cluster, stopping); err != nil {
		return err
	}
	return pods.GoneSoon(ctx, d.Cluster, lost) // what was not ready must not fail the others
}
