package ledger

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var three = time.Date(2026, 11, 28, 3, 0, 0, 0, time.UTC)

// dead is an IOC that ended three times.
var dead = Trouble{
	State: "not ready", Doing: "ended 3 times, last with exit status 139", Version: "2026.11.2", Restarts: 3,
	Ended: "exit status 139", Drift: []string{"Deployment a: spec.replicas"}, Pod: "uid-1", Generation: 4,
	Turned: three,
}

// Whatever is new in a trouble, somebody must hear of it.
func TestATroubleCoversNoOther(t *testing.T) {
	for name, c := range map[string]struct {
		change func(now *Trouble)
		covers bool
	}{
		"the same":            {func(*Trouble) {}, true},
		"in another zone":     {func(now *Trouble) { now.Turned = three.In(time.FixedZone("CET", 3600)) }, true},
		"a difference less":   {func(now *Trouble) { now.Drift = nil }, true},
		"another state":       {func(now *Trouble) { now.State = "restarted" }, false},
		"another cause":       {func(now *Trouble) { now.Doing = "no node takes it: none has room" }, false},
		"another restart":     {func(now *Trouble) { now.Restarts = 4 }, false},
		"another ending":      {func(now *Trouble) { now.Ended = "signal 11" }, false},
		"another difference":  {func(now *Trouble) { now.Drift = []string{"ConfigMap a: data.st.cmd"} }, false},
		"one difference more": {func(now *Trouble) { now.Drift = append(now.Drift, "ConfigMap a: is gone") }, false},
		"another version":     {func(now *Trouble) { now.Version = "2026.11.3" }, false},
		"another pod":         {func(now *Trouble) { now.Pod, now.Restarts = "uid-2", 1 }, false},
		"changed by hand":     {func(now *Trouble) { now.Generation = 5 }, false},
		"well in between":     {func(now *Trouble) { now.Turned = three.Add(time.Minute) }, false},
	} {
		now := dead
		now.Drift = slices.Clone(dead.Drift)
		c.change(&now)
		require.Equal(t, c.covers, dead.Covers(now), name)
		text, err := json.Marshal(dead)
		require.NoError(t, err)
		var kept Trouble
		require.NoError(t, json.Unmarshal(text, &kept))
		require.Equal(t, c.covers, kept.Covers(now), "%s, as the cluster keeps it", name)
	}
}

// The messages of a cluster count and time, and change while a trouble lasts.
func TestCause(t *testing.T) {
	for _, c := range []struct {
		before, now string
		same        bool
	}{
		{"ErrImagePull: not found", "ImagePullBackOff: back-off pulling", true},
		{"no node takes it: 0/1 nodes are available", "no node takes it: 0/2 nodes are available", true},
		{"no node takes it: 0/1 nodes are available", "ImagePullBackOff: not found", false},
		{"waiting for its pod", "no pod is allowed: exceeded quota", false},
	} {
		before, now := Trouble{Doing: c.before}, Trouble{Doing: c.now}
		require.Equal(t, c.same, before.Covers(now), c.now)
	}
}

func TestAnAcknowledgementEndsAtItsTime(t *testing.T) {
	a := Acknowledgement{Until: three, Trouble: dead}
	require.True(t, a.Holds(dead, three.Add(-time.Second)))
	require.False(t, a.Holds(dead, three))
	require.False(t, a.Holds(Trouble{State: "drifted"}, three.Add(-time.Second)))
}

func TestTroubleInWords(t *testing.T) {
	for want, trouble := range map[string]Trouble{
		"not ready: ended 3 times, last with exit status 139": dead,
		"not ready": {State: "not ready"},
		"restarted, 3 times in all, last after signal 11": {State: "restarted", Restarts: 3, Ended: "signal 11"},
		"restarted, 3 times in all":                       {State: "restarted", Restarts: 3},
		"drifted: Deployment a: spec.replicas, ConfigMap a: x": {
			State: "drifted", Drift: []string{"Deployment a: spec.replicas", "ConfigMap a: x"},
		},
	} {
		require.Equal(t, want, trouble.String())
	}
	until := clock(three)
	a := Acknowledgement{Note: Note{By: "ada", Reason: "cable is ordered", Since: three}, Until: three, Trouble: dead}
	require.Equal(t, "acknowledged by ada until "+until+": cable is ordered", a.String())
	e := a.Entry("a")
	require.Equal(t, "acknowledge", e.Did)
	require.Equal(t,
		"cable is ordered; until "+until+", for not ready: ended 3 times, last with exit status 139", e.Why())
	require.Equal(t, "x; the policy was overridden by ada: y", Entry{Reason: "x", Override: "ada: y"}.Why())
	require.Empty(t, Entry{}.Why())
}
