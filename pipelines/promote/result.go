package promote

import (
	"fmt"

	"github.com/tagline-ci/tagline/pipelines/pods"
)

// result returns what became of every IOC, judged by its pod.
func (m *move) result(c *change, after map[string]pods.State, values map[string]string) *Result {
	r := &Result{
		Beamline: string(m.to.Record.Asset), Version: m.to.Record.Version.String(), Record: string(m.to.Digest),
		IOCs: []IOC{},
	}
	if now := m.ledger.Current(); now != nil && now.Digest != m.to.Digest {
		r.Former = now.Record.Version.String()
	}
	for _, inst := range m.to.Record.Instances {
		now := after[inst.Name]
		ioc := IOC{Name: inst.Name, Did: did(m.before[inst.Name], now), PV: inst.ProbePV, Value: values[inst.Name]}
		stopped := m.ledger.Overrides[inst.Name].Stopped
		switch {
		case stopped != nil && now.Pod == "":
			ioc.Did, ioc.Doing = Stopped, fmt.Sprintf("by %s: %s", stopped.By, stopped.Reason)
		case !now.Ready:
			ioc.Doing = now.Doing
		}
		r.IOCs = append(r.IOCs, ioc)
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
