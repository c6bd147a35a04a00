package promote

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/policy"
)

// errRefused is what a cluster says to who may not run commands in pods.
var errRefused = errors.New(`pods "a-1" is forbidden: cannot create resource "pods/exec"`)

// nothing is what happens in a watch in which nothing happens.
func nothing(*scene) {}

// watchCase is something that happens around a watch of 15 seconds: there is a look
// after 5, 10 and 15.
type watchCase struct {
	after time.Duration // since the watch began; 7 seconds where it is left out
	deed  func(*scene)  // what happens then
	setup func(*scene)  // what was so before the promotion
	want  string        // what the watch found
	err   string        // why the beamline is put back
	kind  diag.Kind     // of the error; Undone where it is left out
}

// check promotes in a scene of its own.
func (c watchCase) check(t *testing.T) {
	s := newScene(t)
	if c.setup != nil {
		c.setup(s)
	}
	if c.deed == nil {
		c.deed = nothing
	}
	if c.after == 0 {
		c.after = 7 * time.Second
	}
	verified, err := s.promote(c.after, c.deed)
	require.Equal(t, c.want, verified)
	if c.err == "" {
		require.NoError(t, err)
		return
	}
	require.ErrorContains(t, err, c.err)
	if c.kind == 0 {
		c.kind = diag.Undone
	}
	require.Equal(t, c.kind, diag.KindOf(err))
}

func checkAll(t *testing.T, cases map[string]watchCase) {
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { synctest.Test(t, c.check) })
	}
}

// A promotion is put back when an IOC that it touched is not as it was when it got
// ready, and when it is interrupted.
func TestWatchOfIOCs(t *testing.T) {
	checkAll(t, map[string]watchCase{
		"quiet": {want: "verified 15s"},
		"restart": {
			deed: func(s *scene) { s.restart("a", "ioc") },
			err:  "a: it was restarted after it was ready, and ended with exit status 3",
		},
		"restart beside the IOC": {
			deed: func(s *scene) { s.restart("a", "beside") },
			err:  "a: a container beside it was restarted after it was ready",
		},
		"restart of one that was not touched": {
			deed: func(s *scene) { s.restart("b", "ioc") }, want: "verified 15s",
		},
		"pod replaced": {
			deed: func(s *scene) { s.pod("a", func(p *corev1.Pod) { p.UID = "another" }) },
			err:  "a: its pod was replaced after it was ready",
		},
		"pod not ready": {
			deed: func(s *scene) {
				s.pod("a", func(p *corev1.Pod) { p.Status.ContainerStatuses[0].Ready = false })
			},
			err: "a: it was ready and is no longer: started, its PV does not answer yet",
		},
		"pod gone": {
			deed: func(s *scene) { s.remove("a") }, err: "a: it was ready and is no longer: waiting for its pod",
		},
		"interrupted": {
			deed: func(s *scene) { s.interrupt() },
			err:  "promoting bl01t 2.0.0: interrupted; the beamline is back on 1.0.0",
		},
		"interrupted in the last look": {
			after: 16 * time.Second, setup: func(s *scene) { s.slow = 3 * time.Second },
			deed: func(s *scene) { s.interrupt() }, err: "interrupted",
		},
		"the lock is lost": {
			deed: func(s *scene) { s.lose(); s.interrupt() }, kind: diag.Broken,
			err: "the beamline's lock was lost",
		},
	})
}

// A promotion is put back when a PV that the policy names is worse or gone.
func TestWatchOfPVs(t *testing.T) {
	checkAll(t, map[string]watchCase{
		"PV worse": {
			deed: func(s *scene) { s.severity["A:X.STAT"] = "MAJOR" },
			err:  "a: the alarm severity of A:X.STAT is MAJOR, and was MINOR before",
		},
		"PV worse at the end": {
			after: 14 * time.Second, deed: func(s *scene) { s.severity["A:X.STAT"] = "INVALID" },
			err: "a: the alarm severity of A:X.STAT is INVALID, and was MINOR before",
		},
		"PV worse of an IOC that was not touched": {
			deed: func(s *scene) { s.severity["B:X"] = "MINOR" },
			err:  "b: the alarm severity of B:X is MINOR, and was NO_ALARM before",
		},
		"PV worse for a moment": {
			deed: func(s *scene) {
				s.severity["A:X.STAT"] = "INVALID"
				time.AfterFunc(4*time.Second, func() { s.set("A:X.STAT", "MINOR") })
			},
			want: "verified 15s",
		},
		"PV better": {deed: func(s *scene) { s.severity["A:X.STAT"] = "NO_ALARM" }, want: "verified 15s"},
		"PV gone": {
			deed: func(s *scene) { delete(s.severity, "A:X.STAT") },
			err:  "a: A:X.STAT answered before and does not answer now",
		},
		"PV that the release does not have": {
			setup: func(s *scene) { s.m.to.Record.Checks = s.m.to.Record.Checks[:1] },
			err:   "B:X answered before, and no IOC of the release serves it",
		},
	})
}

// What can't be judged is inconclusive, with the reason, and puts nothing back.
func TestWatchThatIsInconclusive(t *testing.T) {
	checkAll(t, map[string]watchCase{
		"PV absent before": {
			setup: func(s *scene) { delete(s.severity, "B:X") }, deed: func(s *scene) { s.severity["B:X"] = "MAJOR" },
			want: "inconclusive: B:X did not answer before the promotion",
		},
		"PV that nobody serves": {
			setup: func(s *scene) { s.m.verify.PVs = []string{"B:X", "TYPO"} },
			want:  "inconclusive: TYPO did not answer before the promotion",
		},
		"first promotion": {
			setup: func(s *scene) { s.m.ledger.Releases = nil; s.m.verify.PVs = []string{"B:X"} },
			want:  "inconclusive: B:X did not answer before the promotion",
		},
		"exec refused": {
			setup: func(s *scene) { s.refused = errRefused; s.m.verify.PVs = []string{"B:X"} },
			want:  "inconclusive: B:X could not be asked before the promotion: " + errRefused.Error(),
		},
		"exec refused at last": {
			setup: func(s *scene) { s.m.verify.PVs = []string{"B:X"} },
			deed:  func(s *scene) { s.refused = errRefused },
			want:  "inconclusive: B:X could not be asked: " + errRefused.Error(),
		},
		"exec refused for a moment": {
			deed: func(s *scene) {
				s.refused = errRefused
				time.AfterFunc(6*time.Second, func() { s.let(nil) })
			},
			want: "verified 15s",
		},
		"the cluster does not answer at last": {
			deed: func(s *scene) { s.lost = errors.New("no route to host") },
			want: "inconclusive: listing what runs in namespace bl01t: no route to host; " +
				"see that the cluster is up and that the kubeconfig may do this, then run it again",
		},
		"no PVs": {setup: func(s *scene) { s.m.verify.PVs = nil }, want: "verified 15s"},
	})
}

// An IOC that hangs does not make a look last for ever.
func TestALookEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		verified, err := s.promote(7*time.Second, func(s *scene) { s.slow = time.Hour })
		require.NoError(t, err)
		require.Contains(t, verified, "inconclusive: A:X.STAT could not be asked: context deadline exceeded")
	})
}

// Without verify, and where nothing is changed, nothing is asked and nobody waits.
func TestNothingIsWatched(t *testing.T) {
	for name, c := range map[string]struct {
		verify *policy.Verify
		former map[string]int
	}{
		"no verify":          {nil, map[string]int{"a": 1}},
		"nothing is changed": {&policy.Verify{For: "2m", PVs: []string{"B:X"}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, began := newScene(t), time.Now()
				s.m.verify = c.verify
				change := &change{former: c.former}
				require.Equal(t, alarms{}, s.m.alarmsBefore(t.Context(), change))
				verified, err := s.m.watch(t.Context(), change, s.m.watched(change))
				require.NoError(t, err)
				require.Empty(t, verified)
				require.Zero(t, s.asked)
				require.Equal(t, began, time.Now())
			})
		})
	}
}

// Who goes on from a killed promotion compares with what was before that one: what it
// changed is no measure.
func TestAKilledPromotionLeavesWhatWasBefore(t *testing.T) {
	s := newScene(t)
	c := &change{former: map[string]int{"a": 1}}
	s.m.former = s.m.alarmsBefore(t.Context(), c)
	require.NoError(t, s.m.begin(t.Context(), c))
	left, err := ledger.Read(t.Context(), s.m.Cluster)
	require.NoError(t, err)
	s.set("A:X.STAT", "INVALID")
	asked := s.asked
	s.m.ledger = left
	before := s.m.alarmsBefore(t.Context(), c)
	require.Equal(t, map[string]string{"A:X.STAT": "MINOR", "B:X": "NO_ALARM"}, before.severity)
	require.Equal(t, asked, s.asked)
}
