package status

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/ledger"
)

// failing, restarted and drifted are IOCs with a trouble, at the time now.
func failing(name string) IOC {
	return IOC{Name: name, Doing: "ended 3 times", Restarts: 3, Ended: "exit status 1", UID: "1", turned: now}
}

func restarted(name string) IOC {
	return IOC{Name: name, Ready: true, Doing: "ready", Restarts: 1, Since: now.Add(-time.Minute)}
}

func drifted(name string) IOC {
	return IOC{Name: name, Ready: true, Doing: "ready", Drift: []string{"spec.replicas"}, generation: 2}
}

// known is an IOC whose trouble somebody acknowledged for an hour.
func known(i IOC) IOC {
	trouble, _ := i.Trouble(now)
	i.Acknowledged = &ledger.Acknowledgement{
		Note: ledger.Note{By: "ada", Reason: "cable is ordered"}, Until: now.Add(time.Hour), Trouble: trouble,
	}
	return i
}

func TestWhatIsNoTrouble(t *testing.T) {
	_, wrong := IOC{Ready: true}.Trouble(now)
	require.False(t, wrong)
	_, wrong = IOC{Stopped: &ledger.Note{}, Drift: []string{"x"}}.Trouble(now)
	require.False(t, wrong)
	trouble, wrong := failing("a").Trouble(now)
	require.True(t, wrong)
	require.Equal(t, ledger.Trouble{
		State: "not ready", Doing: "ended 3 times", Restarts: 3, Ended: "exit status 1", Pod: "1", Turned: now,
	}, trouble)
}

// An acknowledgement is left out as soon as it does not hold.
func TestSettle(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*IOC)
		at     time.Time
		holds  bool
	}{
		"as acknowledged":    {func(*IOC) {}, now, true},
		"its time is over":   {func(*IOC) {}, now.Add(time.Hour), false},
		"it is well":         {func(i *IOC) { i.Ready, i.Restarts = true, 0 }, now, false},
		"it was stopped":     {func(i *IOC) { i.Stopped = &ledger.Note{} }, now, false},
		"it ended once more": {func(i *IOC) { i.Restarts++ }, now, false},
		"it was well since":  {func(i *IOC) { i.turned = now.Add(time.Second) }, now, false},
	} {
		i := known(failing("a"))
		c.change(&i)
		level := i.Level(c.at)
		i.Settle(c.at)
		require.Equal(t, c.holds, i.Acknowledged != nil, name)
		require.Equal(t, level, i.Level(c.at), "%s: its state is what it is", name)
	}
}

func TestStandingsInOrder(t *testing.T) {
	order := []Standing{
		{Unread, false}, {Failing, false}, {Restarted, false}, {Drifted, false}, {Stray, false}, {Failing, true},
		{Restarted, true}, {Drifted, true}, {Stopped, false}, {Well, false},
	}
	shuffled := slices.Clone(order)
	slices.Reverse(shuffled)
	slices.SortFunc(shuffled, Standing.Compare)
	require.Equal(t, order, shuffled)
}

// The state of a beamline is that of its worst IOC, whoever knows of it; its place, and
// what is said first, is that of what nobody knows.
func TestABeamlineWithAcknowledgedTroubles(t *testing.T) {
	ack := known(failing("a")).Acknowledged.String()
	for name, c := range map[string]struct {
		iocs     []IOC
		underway string
		level    Level
		standing Standing
		why      string
	}{
		"all are known": {
			[]IOC{{Name: "c", Ready: true}, known(drifted("b")), known(failing("a"))}, "", Failing,
			Standing{Failing, true}, "a: ended 3 times, " + ack,
		},
		"a new one beside it": {
			[]IOC{known(failing("a")), drifted("b"), restarted("c")}, "", Failing, Standing{Restarted, false},
			"c: restarted 1 times; a: ended 3 times, " + ack,
		},
		"another of the same state": {
			[]IOC{known(failing("a")), failing("b")}, "", Failing, Standing{Failing, false},
			"b: ended 3 times; a: ended 3 times, " + ack,
		},
		"a change under way": {
			[]IOC{known(failing("a"))}, "2", Failing, Standing{Drifted, false},
			"a change to 2 is under way, or was killed; a: ended 3 times, " + ack,
		},
	} {
		s := &Status{Instances: c.iocs, Underway: c.underway}
		require.Equal(t, c.level, s.Level(now), name)
		require.Equal(t, c.standing, s.Standing(now), name)
		require.Equal(t, c.why, Row{Level: c.level, Status: s}.Why(now), name)
	}
}

// Beamlines whose troubles are known come after all that need somebody.
func TestOverviewsHaveTheWorstFirst(t *testing.T) {
	row := func(name string, iocs ...IOC) Row { return Row{Beamline: name, Status: &Status{Instances: iocs}} }
	rows := []Row{
		row("well", IOC{Ready: true}), row("stopped", IOC{Stopped: &ledger.Note{}}), row("known", known(failing("a"))),
		row("drifted", drifted("a")), row("failing", failing("a")), {Beamline: "unread", Failed: "too slow"},
	}
	worstFirst(rows, now)
	var names []string
	for _, r := range rows {
		names = append(names, r.Beamline)
	}
	require.Equal(t, []string{"unread", "failing", "drifted", "known", "stopped", "well"}, names)
}

// What was acknowledged is read with the rest, and only while it holds.
func TestReadGathersAcknowledgements(t *testing.T) {
	n, _, _ := aBeamline(t)
	st, err := Read(t.Context(), n)
	require.NoError(t, err)
	trouble, wrong := st.Instances[0].Trouble(time.Now())
	require.True(t, wrong)
	for until, holds := range map[time.Duration]bool{time.Hour: true, -time.Hour: false} {
		require.NoError(t, ledger.Acknowledge(t.Context(), n, func(all map[string]ledger.Acknowledgement) {
			all["a"] = ledger.Acknowledgement{Until: time.Now().Add(until), Trouble: trouble}
		}))
		st, err = Read(t.Context(), n)
		require.NoError(t, err)
		require.Equal(t, holds, st.Instances[0].Acknowledged != nil)
	}
}
