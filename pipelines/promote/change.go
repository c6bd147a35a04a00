package promote

import (
	"cmp"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/helm"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// change is what a promotion does to a beamline, decided before anything is
// touched.
type change struct {
	same    []record.Instance // run this chart already
	restore []restoration     // their chart is in the cluster, as a stored revision
	deploy  []record.Instance // their chart must be fetched
	remove  []string          // run, and are not in the release
	former  map[string]int    // by instance that is touched: the revision to put back; 0 for none
}

type restoration struct {
	record.Instance
	number int // the revision
}

// stored returns the revision that an instance is restored to.
func (c *change) stored(instance string) int {
	i := slices.IndexFunc(c.restore, func(r restoration) bool { return r.Name == instance })
	return c.restore[i].number
}

// touched returns the instances that the change deploys, in the record's order.
func (c *change) touched() (all []record.Instance) {
	all = slices.Clone(c.deploy)
	for _, r := range c.restore {
		all = append(all, r.Instance)
	}
	slices.SortFunc(all, func(a, b record.Instance) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// decide compares a release with what Helm has. drifted holds the instances that
// somebody changed by hand; underway is the change that a killed run left, nil
// when there is none: what ran before it is what must come back if this one
// fails too.
func decide(rec *record.Record, history helm.History, drifted map[string]bool, underway *ledger.Underway) *change {
	c := &change{former: map[string]int{}}
	for _, inst := range rec.Instances {
		last, _ := history.Latest(inst.Name)
		stored := slices.IndexFunc(history[inst.Name], func(r helm.Revision) bool { return r.IsOf(inst.Chart) })
		switch {
		case last.Runs() && last.IsOf(inst.Chart) && !drifted[inst.Name]:
			c.same = append(c.same, inst)
		case stored >= 0:
			c.restore = append(c.restore, restoration{inst, history[inst.Name][stored].Number})
		default:
			c.deploy = append(c.deploy, inst)
		}
	}
	for name, revisions := range history {
		wanted := slices.ContainsFunc(rec.Instances, func(i record.Instance) bool { return i.Name == name })
		if last := revisions[0]; !wanted && last.Beamline == string(rec.Asset) && (last.Runs() || last.Interrupted()) {
			c.remove = append(c.remove, name)
		}
	}
	slices.Sort(c.remove)
	for _, inst := range c.touched() {
		c.former[inst.Name] = former(history[inst.Name])
	}
	for _, name := range c.remove {
		c.former[name] = former(history[name])
	}
	if underway != nil {
		for name, number := range underway.Former {
			c.former[name] = number
		}
	}
	return c
}

// former returns the revision that an instance is on: the one deployed, or else
// the one that was begun; 0 when it is not there.
func former(revisions []helm.Revision) int {
	if len(revisions) == 0 || !revisions[0].Runs() && !revisions[0].Interrupted() {
		return 0
	}
	for _, r := range revisions {
		if r.Runs() {
			return r.Number
		}
	}
	return revisions[0].Number
}

// wayBack decides how the instances in former return to their revisions, from
// what Helm has now: restore holds revisions by instance, remove the instances
// that were not there. Those that were never reached, or are back already, are
// in neither.
func wayBack(former map[string]int, now helm.History) (restore map[string]int, remove []string) {
	restore = map[string]int{}
	for name, number := range former {
		last, there := now.Latest(name)
		runs := there && (last.Runs() || last.Interrupted())
		switch {
		case number == 0 && runs:
			remove = append(remove, name)
		case number != 0 && !(last.Runs() && last.Number == number):
			restore[name] = number
		}
	}
	slices.Sort(remove)
	return restore, remove
}
