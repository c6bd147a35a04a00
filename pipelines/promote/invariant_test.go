package promote

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/tagline-ci/tagline/pipelines/helm"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// model is Helm's storage as promotions use it: revisions of each instance,
// newest first.
type model struct{ helm.History }

// add stores a new revision of a chart; the one deployed before is superseded
// unless the run was killed in the middle.
func (m model) add(name, digit string, killed bool) {
	status := "deployed"
	if killed {
		status = "pending-upgrade"
	} else {
		for i := range m.History[name] {
			if m.History[name][i].Runs() || m.History[name][i].Interrupted() {
				m.History[name][i].Status = "superseded"
			}
		}
	}
	m.History[name] = append([]helm.Revision{rev(len(m.History[name])+1, status, digit)}, m.History[name]...)
}

func (m model) restore(name string, number int) {
	i := slices.IndexFunc(m.History[name], func(r helm.Revision) bool { return r.Number == number })
	m.add(name, m.History[name][i].Chart[:1], false)
}

func (m model) remove(name string) { m.History[name][0].Status = "uninstalled" }

// running returns the chart of every instance whose objects are in the cluster.
func (m model) running() map[string]string {
	charts := map[string]string{}
	for name, revisions := range m.History {
		if len(revisions) > 0 && (revisions[0].Runs() || revisions[0].Interrupted()) {
			charts[name] = revisions[0].Chart[:1]
		}
	}
	return charts
}

// TestWhateverHappensIsUndone: promotions that are killed at any point, one
// after the other, and then put back, leave what ran before the first of them.
func TestWhateverHappensIsUndone(t *testing.T) {
	names, digits := []string{"a", "b", "c", "d"}, rapid.SampledFrom([]string{"1", "2", "3"})
	subset := rapid.MapOf(rapid.SampledFrom(names), digits)
	rapid.Check(t, func(t *rapid.T) {
		m := model{helm.History{}}
		for _, earlier := range rapid.SliceOfN(subset, 1, 3).Draw(t, "ran before") {
			for name := range m.running() {
				if earlier[name] == "" {
					m.remove(name)
				}
			}
			for name, digit := range earlier {
				m.add(name, digit, false)
			}
		}
		before := m.running()
		var underway *ledger.Underway
		for range rapid.IntRange(1, 3).Draw(t, "killed promotions") {
			rec := &record.Record{Asset: "bl01t"}
			to := subset.Draw(t, "release")
			for _, name := range slices.Sorted(maps.Keys(to)) {
				rec.Instances = append(rec.Instances, record.Instance{Name: name, Chart: chartOf(to[name])})
			}
			c := decide(rec, m.History, nil, underway)
			underway = &ledger.Underway{Former: c.former}
			steps := len(c.remove) + len(c.touched())
			m.apply(c, rapid.IntRange(0, steps).Draw(t, "killed after"))
		}
		restore, remove := wayBack(underway.Former, m.History)
		for _, name := range remove {
			m.remove(name)
		}
		for name, number := range restore {
			m.restore(name, number)
		}
		if after := m.running(); !maps.Equal(before, after) {
			t.Fatalf("before %v, after %v", before, after)
		}
	})
}

// apply does the first steps of a change; the last one of these is left half done.
func (m model) apply(c *change, steps int) {
	for _, name := range c.remove {
		if steps--; steps < 0 {
			return
		}
		m.remove(name)
	}
	for _, inst := range c.touched() {
		if steps--; steps < 0 {
			return
		}
		m.add(inst.Name, string(inst.Chart[len(inst.Chart)-1:]), steps == 0)
	}
}
