package promote

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// What was dead before and is not touched does not make a change fail.
func TestRequired(t *testing.T) {
	ready, dead := pods.State{Pod: "x", Ready: true, Template: "1"}, pods.State{Pod: "x", Template: "1"}
	replaced := pods.State{Pod: "y", Template: "2"}
	lost := pods.State{Pod: "x", Lost: "ws012", Template: "1"}
	instances := []record.Instance{{Name: "dead"}, {Name: "ready"}, {Name: "stopped"}, {Name: "lost"}}
	for name, c := range map[string]struct {
		former   map[string]int
		unready  []string   // before this change, or before the killed one that it goes on from
		now      pods.State // of the dead one
		required []string
	}{
		"nothing is touched":         {nil, nil, dead, []string{"dead", "ready"}},
		"the ready one is touched":   {map[string]int{"ready": 1}, nil, dead, []string{"ready"}},
		"another one is touched":     {map[string]int{"new": 0}, nil, dead, []string{"ready"}},
		"the dead one is replaced":   {map[string]int{"dead": 1}, []string{"dead"}, replaced, []string{"dead", "ready"}},
		"the dead one is as it was":  {map[string]int{"dead": 1}, []string{"dead"}, dead, []string{"ready"}},
		"a killed run killed it":     {map[string]int{"dead": 1}, nil, dead, []string{"dead", "ready"}},
		"a killed run brought it":    {map[string]int{"dead": 0}, []string{"dead"}, dead, []string{"dead", "ready"}},
		"the stopped one as well":    {map[string]int{"stopped": 1}, []string{"stopped"}, dead, []string{"ready"}},
		"one of a lost node as well": {map[string]int{"lost": 1}, []string{"lost"}, dead, []string{"ready"}},
		"a removed one was touched":  {map[string]int{"gone": 4}, nil, dead, []string{"ready"}},
	} {
		t.Run(name, func(t *testing.T) {
			m := &move{
				ledger: &ledger.Ledger{
					Underway:  &ledger.Underway{Unready: c.unready},
					Overrides: map[string]ledger.Override{"stopped": {Stopped: &ledger.Note{By: "ada"}}},
				},
				to:     ledger.Release{Record: record.Record{Instances: instances}},
				before: map[string]pods.State{"dead": dead, "ready": ready, "stopped": {}, "lost": lost},
			}
			require.Equal(t, c.required, names(m.required(
				&change{former: c.former}, map[string]pods.State{"dead": c.now, "ready": ready, "lost": replaced},
			)))
		})
	}
}

func TestImagesAreThoseThatNodesLack(t *testing.T) {
	m := &move{before: map[string]pods.State{
		"a": {Node: "n1", Image: "old"}, "b": {Node: "n1", Image: "old"}, "c": {Node: "n2", Image: "new"},
		"d": {Node: "n3", Image: "old", Lost: "n3"},
	}}
	inst := func(name string) record.Instance { return record.Instance{Name: name, Image: "new"} }
	c := &change{deploy: []record.Instance{inst("a"), inst("b"), inst("c"), inst("d"), inst("not there yet")}}
	require.Equal(t, []pods.Image{{Node: "n1", Ref: "new"}}, m.images(c))
}

// A rollback places a hold that the next promotion must lift.
func TestLift(t *testing.T) {
	to := ledger.Release{Digest: "sha256:2", Record: record.Record{Asset: "bl01t", Version: assettest.Version("2.0")}}
	past := ledgerOf("1.0")
	require.NoError(t, Deps{}.lift(past, to))
	past.Hold = &ledger.Note{
		By: "ada", Since: time.Date(2026, 11, 3, 4, 5, 6, 0, time.UTC), Reason: "rolled back from 2",
	}
	err := Deps{}.lift(past, to)
	require.EqualError(t, err, "promoting bl01t 2.0: "+
		"the beamline is on hold since 2026-11-03T04:05:06Z: rolled back from 2 by ada; "+
		"when the cause is mended, promote with --lift-hold and the reason")
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.NoError(t, Deps{Lift: "the motor is mended"}.lift(past, to))
	to.Digest = "sha256:1.0"
	require.NoError(t, Deps{}.lift(past, to), "what runs already")
}
