package promote

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime"
	k8stesting "k8s.io/client-go/testing"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ledger"
)

// stays is what a person is told of the release that a rollback left on the beamline.
const stays = "; the beamline runs 1.0.0 and stays there, as 2.0.0, which it left, is no remedy: " +
	"see tagline status bl01t"

// rollbacks are what happens in the watch of a rollback, and what comes of it.
var rollbacks = map[string]struct {
	setup, deed func(*scene)
	want        string
	err         string // of kind Unwell
}{
	"quiet": {want: "verified 15s"},
	"restart": {
		deed: func(s *scene) { s.restart("a", "ioc") },
		want: "not as before: a: it was restarted after it was ready, and ended with exit status 3",
		err: "rolling back to bl01t 1.0.0: a: it was restarted after it was ready, and ended with exit status 3" +
			stays,
	},
	"PVs worse": {
		deed: func(s *scene) { s.severity["A:X.STAT"], s.severity["B:X"] = "MAJOR", "MINOR" },
		want: "not as before: a: the alarm severity of A:X.STAT is MAJOR, and was MINOR before, " +
			"b: the alarm severity of B:X is MINOR, and was NO_ALARM before",
		err: "b: the alarm severity of B:X is MINOR, and was NO_ALARM before" + stays,
	},
	"PV as bad as before": {
		setup: func(s *scene) { s.severity["B:X"] = "INVALID" }, want: "verified 15s",
	},
	"PV of the release that was left alone": {
		setup: func(s *scene) {
			s.m.verify.PVs = []string{"B:NEW"}
			s.m.ledger.Releases[0].Record.Checks = releaseOf("2.0.0").Record.Checks
			s.m.ledger.Releases[0].Record.Checks[1].PVs[0].Name = "B:NEW"
			s.severity["B:NEW"] = "NO_ALARM"
		},
		want: "inconclusive: B:NEW is served by no IOC of this release",
	},
	"PV absent before": {
		setup: func(s *scene) { delete(s.severity, "B:X") },
		want:  "inconclusive: B:X did not answer before the rollback",
	},
	"kept names that can't be read": {
		setup: func(s *scene) {
			s.m.verify.PVs = []string{"B:X"}
			s.client.PrependReactor(
				"list", "configmaps", func(k8stesting.Action) (bool, runtime.Object, error) {
					return true, nil, errors.New("no route to host")
				},
			)
		},
		want: "inconclusive: B:X could not be asked before the rollback: " +
			"reading the PVs of bl01t: no route to host",
	},
	"interrupted": {
		deed: func(s *scene) { s.interrupt() }, want: "inconclusive: the watch was interrupted",
	},
	"the lock is lost": {
		deed: func(s *scene) { s.lose(); s.interrupt() },
		want: "inconclusive: " + ledger.ErrLockLost.Error(),
	},
}

// A rollback is watched as a promotion is, and stays whatever is found: the ledger says
// so before the watch begins.
func TestWatchOfARollback(t *testing.T) {
	for name, c := range rollbacks {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newScene(t)
				s.leave()
				if c.setup != nil {
					c.setup(s)
				}
				if c.deed == nil {
					c.deed = nothing
				}
				verified, err := s.rollBack(7*time.Second, c.deed)
				require.Contains(t, verified, c.want)
				left, unread := ledger.Read(t.Context(), s.m.Cluster)
				require.NoError(t, unread)
				require.Equal(t, "1.0.0", left.Current().Record.Version.String())
				require.Len(t, left.Releases, 1)
				require.Nil(t, left.Underway)
				if c.err == "" {
					require.NoError(t, err)
					return
				}
				require.ErrorContains(t, err, c.err)
				require.Equal(t, diag.Unwell, diag.KindOf(err))
			})
		})
	}
}

// What nobody asks to be watched is not watched after a rollback either.
func TestARollbackWithoutVerify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		s.leave()
		s.m.verify = nil
		began := time.Now()
		verified, err := s.rollBack(time.Second, nothing)
		require.NoError(t, err)
		require.Empty(t, verified)
		require.Equal(t, began, time.Now())
	})
}

// A rollback is in the history before its watch, which may be killed, and is there once
// when the watch has ended.
func TestAWatchedRollbackIsInTheHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newScene(t)
		s.leave()
		found := func() []ledger.Entry {
			all, err := ledger.Entries(t.Context(), s.m.Cluster)
			require.NoError(t, err)
			require.Len(t, all, 1)
			require.Equal(t, "2.0.0", all[0].From)
			return all
		}
		var during []ledger.Entry
		_, err := s.rollBack(time.Second, func(*scene) { during = found() })
		require.NoError(t, err)
		require.Equal(t, ledger.Unfinished, during[0].Verified)
		require.Contains(t, found()[0].Verified, "verified")
	})
}
