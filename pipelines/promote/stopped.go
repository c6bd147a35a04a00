package promote

import (
	"time"

	"github.com/tagline-ci/tagline/pipelines/ledger"
)

// asWritten is why a release stops an instance.
const asWritten = "values.yaml says start: false"

// stopAndStart writes into the ledger what the release says of instances that no
// person stopped. One that comes to the beamline with start: false is stopped. One that
// a release stopped, and nobody started since, runs when this release does not say so,
// and is forgotten when this release does not have it. What runs is never stopped. What
// a killed promotion said is taken back before. It returns who had stopped each of them,
// nil for nobody.
func (m *move) stopAndStart(c *change) map[string]*ledger.Note {
	if m.ledger.Underway != nil {
		m.ledger.Unstop()
	}
	former := map[string]*ledger.Note{}
	set := func(instance string, note *ledger.Note) {
		former[instance] = m.ledger.Overrides[instance].Stopped
		m.ledger.SetStopped(instance, note)
	}
	byRelease := func(instance string) bool {
		note := m.ledger.Overrides[instance].Stopped
		return note != nil && note.Release
	}
	for _, inst := range m.to.Record.Instances { // a killed promotion may have deployed them already
		before, changes := c.former[inst.Name]
		free := m.ledger.Overrides[inst.Name].Stopped == nil
		switch {
		case inst.Stopped && free && changes && before == 0:
			set(inst.Name, m.note())
		case !inst.Stopped && byRelease(inst.Name):
			set(inst.Name, nil)
		}
	}
	for _, instance := range c.remove {
		if byRelease(instance) {
			set(instance, nil)
		}
	}
	return former
}

// note returns what the ledger says of an instance that the release stops.
func (m *move) note() *ledger.Note {
	by := "release " + m.to.Record.Version.String()
	return &ledger.Note{By: by, Since: time.Now().UTC(), Reason: asWritten, Release: true}
}
