package page

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/cluster/clustertest"
	"github.com/tagline-ci/tagline/pipelines/ledger"
)

// Who changes a beamline is in its heading for as long as it lasts. A change that nobody is
// at was killed, where the page may look at the lock.
func TestWhoChangesABeamlineIsInItsHeading(t *testing.T) {
	s, reach := faulty(t, "bl01t")
	address, board := serveReached(t, reach)
	until(t, board, "", "it is read", settled(1))
	n := s.Namespace(t, "bl01t")
	underway := func(ctx context.Context, u *ledger.Underway) {
		l, err := ledger.Read(ctx, n)
		require.NoError(t, err)
		l.Underway = u
		require.NoError(t, l.Save(ctx, n))
	}
	change := func(says string) func(*View) bool {
		return func(v *View) bool { return v.Beamlines[0].Status.Change() == says }
	}
	begun := time.Now().Add(-2 * time.Second)
	work := func(ctx, _ context.Context, n *cluster.Namespace) error {
		underway(ctx, &ledger.Underway{Version: assettest.Version("2026.12.1")})
		v := until(t, board, "", "ada changes it", change("a change to 2026.12.1 is under way, by ada@ws011"))
		require.True(t, v.Beamlines[0].Status.ChangingSince.After(begun))
		_, _, body := get(t, address)
		require.Regexp(t, `being changed by ada@ws011 since <time datetime="[^"]+">`+
			v.Beamlines[0].Status.ChangingSince.Local().Format("2006-01-02 15:04"), body)
		require.Contains(t, body, "A change to 2026.12.1 is under way<")
		return nil
	}
	require.NoError(t, ledger.Locked(t.Context(), n, "ada@ws011", work))
	until(t, board, "", "nobody goes on with it", change("a change to 2026.12.1 was killed"))
	_, _, body := get(t, address)
	require.Contains(t, body, "A change to 2026.12.1 was killed<")
	require.NotContains(t, body, "being changed by")

	s.Fail("bl01t", "leases", clustertest.Forbidden)
	until(t, board, "", "it may not be asked", change("a change to 2026.12.1 is under way, or was killed"))
}

// A run that has just begun or ended is never called killed.
func TestAFreeLockIsBelievedTheSecondTime(t *testing.T) {
	s, reach := faulty(t, "bl01t")
	found, err := reach(t.Context())
	require.NoError(t, err)
	m := newMirror(found[0].Namespace, func() {})
	known := func() bool {
		f, err := m.facts()
		require.NoError(t, err)
		return f.Lock.Known
	}
	m.lookAtLock(t.Context())
	m.lookAtLock(t.Context())
	require.True(t, known())
	n := s.Namespace(t, "bl01t")
	cm, err := n.Client.CoreV1().ConfigMaps("bl01t").Get(t.Context(), ledger.Name, metav1.GetOptions{})
	require.NoError(t, err)
	require.NoError(t, m.ledger.GetStore().Add(cm))
	require.False(t, known(), "the ledger is another than when it was asked")
	m.lookAtLock(t.Context())
	require.False(t, known(), "it may have ended meanwhile")
	m.lookAtLock(t.Context())
	require.True(t, known())
}
