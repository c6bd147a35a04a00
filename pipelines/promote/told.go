package promote

import (
	"context"
	"time"

	"github.com/tagline-ci/tagline/pipelines/events"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pvs"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// deed returns what the history says of this move, which ended with err.
func (m *move) deed(err error) events.Deed {
	d := events.Deed{Entry: ledger.Entry{
		Did: m.did, Version: m.to.Record.Version.String(), From: current(m.ledger), Reason: m.reason,
		Override: m.pass.Override(), Approvals: m.pass.Approvals(),
	}}
	if err != nil {
		d.Failed = err.Error()
	}
	return d
}

// remember adds what was done to the beamline's history, and tells the policy's
// receivers. Neither changes what was done.
func (d Deps) remember(ctx context.Context, deed events.Deed) {
	if deed.By = d.Holder; deed.Time.IsZero() {
		deed.Time = time.Now().UTC()
	}
	events.Write(ctx, d.Cluster, deed)
}

// toBeWatched writes a rollback into the history before its watch, which may be killed.
// What is remembered of the deed afterwards takes the place of that entry.
func (m *move) toBeWatched(deed *events.Deed) {
	deed.Time = time.Now().UTC()
	e := deed.Entry
	e.By, e.Verified = m.Holder, ledger.Unfinished
	if err := ledger.Append(m.held, m.Cluster, e); err != nil {
		step.Say(m.held, "writing the history", err.Error())
	}
}

// done returns what the change did to the IOCs that it touched.
func (c *change) done(r *Result) (all []events.IOC) {
	for _, ioc := range r.IOCs {
		if _, touched := c.former[ioc.Name]; touched && ioc.Did != Unchanged {
			all = append(all, events.IOC{Name: ioc.Name, Did: ioc.Did})
		}
	}
	return all
}

// changedPVs returns which PVs come and go with the move; nil where the release runs
// already, and where the PVs of a release are not known.
func (m *move) changedPVs(ctx context.Context) *events.PVs {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	var before []string
	if now := m.ledger.Current(); now != nil {
		if now.Digest == m.to.Digest {
			return nil
		}
		if before = m.named(ctx, now); before == nil {
			return nil
		}
	}
	after := m.named(ctx, &m.to)
	if after == nil {
		return nil
	}
	return events.Compare(before, after)
}

// named returns the names of a release's PVs; nil where they are not known.
func (m *move) named(ctx context.Context, rel *ledger.Release) (names []string) {
	all := pvs.Of(&rel.Record)
	if len(all) == 0 { // one that ran before has them in the namespace
		lines, err := pvs.Read(ctx, m.Cluster, rel.Digest)
		if err != nil {
			return nil
		}
		if all, err = pvs.Find(lines, []string{".*"}); err != nil {
			return nil
		}
	}
	for _, pv := range all {
		names = append(names, pv.Name)
	}
	return names
}
