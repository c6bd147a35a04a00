package promote

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"regexp"
	"strings"
	"sync"

	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/pvs"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// alarms are the alarm severities of the policy's PVs at one time. A PV in neither
// map did not answer.
type alarms struct {
	severity map[string]string // by PV
	unasked  map[string]string // by PV: why its IOC could not be asked
}

// compare judges the policy's PVs by what they were before. It returns what could not
// be judged now, and a fault for each that is worse or gone.
func (m *move) compare(
	ctx context.Context, now alarms, servers map[string]string, states map[string]pods.State,
) (unknown []string, faults []error) {
	for _, pv := range m.verify.PVs {
		was, known := m.former.severity[pv]
		is, answers := now.severity[pv]
		why := ""
		switch {
		case !known:
		case now.unasked[pv] != "":
			unknown = append(unknown, fmt.Sprintf("%s could not be asked: %s", pv, now.unasked[pv]))
		case servers[pv] == "" && m.remedy:
			unknown = append(unknown, pv+" is served by no IOC of this release")
		case servers[pv] == "":
			faults = append(faults, fmt.Errorf("%s answered before, and no IOC of the release serves it", pv))
		case !answers:
			why = pv + " answered before and does not answer now"
		case pods.Worse(is, was):
			why = fmt.Sprintf("the alarm severity of %s is %s, and was %s before", pv, is, was)
		}
		if why != "" {
			faults = append(faults, m.explain(ctx, states[servers[pv]], why))
		}
	}
	return unknown, faults
}

// incomparable returns, for each PV of the policy that had no severity before, why not.
func (m *move) incomparable() (all []string) {
	for _, pv := range m.verify.PVs {
		if _, known := m.former.severity[pv]; known {
			continue
		}
		what := "promotion"
		if m.remedy {
			what = "rollback"
		}
		why := "did not answer before the " + what
		if unasked := m.former.unasked[pv]; unasked != "" {
			why = "could not be asked before the " + what + ": " + unasked
		}
		all = append(all, pv+" "+why)
	}
	return all
}

// alarmsBefore asks what the PVs of the policy are before the change. Of a killed
// change that this one goes on from, it is what was asked then.
func (m *move) alarmsBefore(ctx context.Context, c *change) alarms {
	now := m.ledger.Current()
	switch {
	case m.verify == nil || len(c.former) == 0:
		return alarms{}
	case m.ledger.Underway != nil:
		return alarms{severity: m.ledger.Underway.Severities}
	case now == nil || len(m.verify.PVs) == 0:
		return alarms{}
	}
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	served, err := m.served(ctx, now)
	if err != nil {
		return m.unaskable(err)
	}
	return m.alarms(ctx, &now.Record, m.servers(served), m.before)
}

// served returns the PVs of a release, those that the policy names among them. One that
// ran before has no tests in its record any more; its PVs are kept in the namespace.
func (m *move) served(ctx context.Context, rel *ledger.Release) ([]pvs.PV, error) {
	if all := pvs.Of(&rel.Record); len(all) > 0 || len(m.verify.PVs) == 0 {
		return all, nil
	}
	var patterns []string
	for _, pv := range m.verify.PVs {
		patterns = append(patterns, regexp.QuoteMeta(pv), regexp.QuoteMeta(recordOf(pv)))
	}
	lines, err := pvs.Read(ctx, m.Cluster, rel.Digest)
	if err != nil {
		return nil, err
	}
	return pvs.Find(lines, patterns)
}

// unaskable returns the alarms where err keeps every PV from being asked.
func (m *move) unaskable(err error) alarms {
	unasked := map[string]string{}
	for _, pv := range m.verify.PVs {
		unasked[pv] = err.Error()
	}
	return alarms{unasked: unasked}
}

// alarms asks the IOCs of a release for those PVs of the policy that they serve, as
// servers says, each IOC in its own pod.
func (m *move) alarms(
	ctx context.Context, rec *record.Record, servers map[string]string, states map[string]pods.State,
) alarms {
	wanted := map[string][]string{} // by instance
	for _, pv := range m.verify.PVs {
		wanted[servers[pv]] = append(wanted[servers[pv]], pv)
	}
	found, mu := alarms{map[string]string{}, map[string]string{}}, sync.Mutex{}
	_ = step.Each(ctx, sideBySide, rec.Instances, func(ctx context.Context, inst record.Instance) error {
		s := states[inst.Name]
		if len(wanted[inst.Name]) == 0 || s.Pod == "" {
			return nil
		}
		severities, err := m.severities(ctx, m.Cluster, s, inst.Protocol, wanted[inst.Name])
		mu.Lock()
		defer mu.Unlock()
		maps.Copy(found.severity, severities)
		for _, pv := range wanted[inst.Name] {
			if err != nil {
				found.unasked[pv] = err.Error()
			}
		}
		return nil
	})
	return found
}

// servers returns, by PV of the policy, the instance that serves it or the record that
// it is a field of; empty where none does.
func (m *move) servers(served []pvs.PV) map[string]string {
	instances := map[string]string{} // by PV and by record of the policy's PVs
	for _, pv := range m.verify.PVs {
		instances[pv], instances[recordOf(pv)] = "", ""
	}
	for _, pv := range served {
		if instance, wanted := instances[pv.Name]; wanted && instance == "" {
			instances[pv.Name] = pv.Instance
		}
	}
	servers := map[string]string{}
	for _, pv := range m.verify.PVs {
		servers[pv] = cmp.Or(instances[pv], instances[recordOf(pv)])
	}
	return servers
}

// recordOf returns the name of the record that a PV is a field of, or is.
func recordOf(pv string) string {
	name, _, _ := strings.Cut(pv, ".")
	return name
}
