// Package events writes what was done to a beamline into its history, and tells it the
// receivers that the beamline's policy names.
package events

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Deed is one thing that was done to a beamline: an entry of its history, with what the
// history has no room for.
type Deed struct {
	ledger.Entry
	IOCs []IOC `json:"iocs,omitempty"` // that a promotion or rollback touched
	PVs  *PVs  `json:"pvs,omitempty"`  // nil where the PVs of both releases are not known
}

// IOC is what a promotion or rollback did to one IOC.
type IOC struct {
	Name string `json:"name"`
	Did  string `json:"did"` // "restarted", "started", "stopped" or "removed"
}

// PVs is what a change of releases did to the PVs of a beamline.
type PVs struct {
	Added   Names `json:"added"`
	Removed Names `json:"removed"`
}

// Names is a number of PVs, and the names of the first of them.
type Names struct {
	Count int      `json:"count"`
	First []string `json:"first"` // at most mostNames, sorted
}

// mostNames is how many names of PVs an event has: an event is read by people, and
// receivers refuse large ones.
const mostNames = 50

// Compare returns which PVs come and go between two releases, each given by the names of
// its PVs in any order.
func Compare(before, after []string) *PVs {
	return &PVs{Added: missing(after, before), Removed: missing(before, after)}
}

// missing returns those of some names that are not in others.
func missing(some, others []string) Names {
	there := make(map[string]bool, len(others))
	for _, name := range others {
		there[name] = true
	}
	lacking := []string{}
	for _, name := range some {
		if !there[name] {
			lacking = append(lacking, name)
		}
	}
	slices.Sort(lacking)
	lacking = slices.Compact(lacking)
	return Names{Count: len(lacking), First: lacking[:min(mostNames, len(lacking))]}
}

// within is how long telling all receivers may take: a beamline is locked meanwhile.
const within = 6 * time.Second

// Write adds deeds to the beamline's history and then tells its receivers of them, for a
// few seconds. What was done stays done where either fails, which is said as a line of
// progress.
func Write(ctx context.Context, n *cluster.Namespace, deeds ...Deed) {
	for _, d := range deeds {
		if err := ledger.Append(ctx, n, d.Entry); err != nil {
			step.Say(ctx, "writing the history", err.Error())
		}
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	tell(ctx, n, deeds)
}

// tell sends deeds to every receiver, each apart from the others.
func tell(ctx context.Context, n *cluster.Namespace, deeds []Deed) {
	const name = "telling of it"
	receivers, err := receivers(ctx, n)
	if err != nil {
		step.Say(ctx, name, "nobody was told: "+err.Error())
		return
	}
	if len(receivers) == 0 || len(deeds) == 0 {
		return
	}
	messages, err := messages(n, deeds)
	if err != nil {
		step.Say(ctx, name, "nobody was told: "+err.Error())
		return
	}
	keys, err := keys(ctx, n)
	if err != nil {
		step.Say(ctx, name, "nobody was told: "+err.Error())
		return
	}
	_ = step.Each(ctx, len(receivers), receivers, func(ctx context.Context, r policy.Receiver) error {
		if err := send(ctx, r, string(keys[r.Name]), messages); err != nil {
			step.Say(ctx, "telling "+r.Name, err.Error())
		}
		return nil
	})
}

// receivers returns whom the beamline's policy names; nobody where it has none.
func receivers(ctx context.Context, n *cluster.Namespace) ([]policy.Receiver, error) {
	text, _, err := ledger.Policy(ctx, n)
	if errors.Is(err, ledger.ErrNoPolicy) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p, err := policy.Read("the policy", []byte(text))
	if err != nil {
		return nil, err
	}
	return p.Events, nil
}
