package operate

import (
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/cluster/clustertest"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// dies makes the pod of an IOC one that is not ready.
func (s *shift) dies(instance string) {
	s.t.Helper()
	s.Unready(func(string) bool { return true })
	pods := s.Cluster.Client.CoreV1().Pods(s.Cluster.Name)
	require.NoError(s.t, pods.Delete(s.t.Context(), s.state(instance).Pod, metav1.DeleteOptions{}))
	require.False(s.t, s.state(instance).Ready)
	s.Unready(func(string) bool { return false })
	s.before = len(s.Server.Changes())
}

// An IOC whose node is gone may still hold its device there: a person must say that it
// does not. Then its pod, which never ends, is in nobody's way. One that was not ready
// when its node went is treated as one that was.
func TestMoveFromANodeThatIsGone(t *testing.T) {
	for _, ready := range []bool{true, false} {
		s := onShift(t, movedTo("ws012"))
		if !ready {
			s.dies("a")
		}
		other := s.state("b").Pod
		s.Lose("ws012")
		require.Equal(t, "ws012", s.state("a").Lost)
		s.Instances = []string{"a"}
		err := Move(t.Context(), s.Order, clustertest.Node, false)
		require.EqualError(
			t, err, "moving a: node ws012 is gone: whether the IOC still runs there is not known; see that ws012 is "+
				"off, or cut off from what the IOC drives and serves, and say so with --node-is-off",
		)
		require.Equal(t, diag.Refused, diag.KindOf(err))
		require.Equal(t, []string{"POST configmaps"}, s.changes(), "the history, and no more")

		require.NoError(t, Move(t.Context(), s.Order, clustertest.Node, true))
		require.Equal(t, clustertest.Node, s.state("a").Node)
		require.True(t, s.state("a").Ready)
		require.Equal(t, other, s.state("b").Pod, "the other is not touched")
		s.Lose("")
		require.Len(t, s.Names("pods"), 2, "nothing runs twice when the node is back")
		require.Equal(t, clustertest.Node, s.state("a").Node)
	}
}

// Who may not look at nodes learns that the node of a dead IOC does not answer. Nothing that
// it would have to do there is begun, and a person may say that it is off.
func TestANodeThatDoesNotAnswer(t *testing.T) {
	s := onShift(t, movedTo("ws012"))
	s.dies("a")
	s.Lose("ws012")
	s.Refuse("GET nodes/")
	require.Equal(t, "ws012", s.state("a").Silent)
	s.Instances = []string{"a"}
	err := Move(t.Context(), s.Order, clustertest.Node, false)
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.ErrorContains(t, err, "its node ws012 does not answer and may be gone")
	require.ErrorContains(t, err, "say so with --node-is-off")
	err = Restart(t.Context(), s.Order)
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.ErrorContains(t, err, "its node ws012 does not answer and may be gone")
	require.ErrorContains(
		t, err, "where ws012 is off for certain, run it elsewhere: tagline move bl01t a --node NODE --node-is-off",
	)
	require.Equal(t, []string{"POST configmaps", "PUT configmaps/tagline-history"}, s.changes(), "and no more")

	require.NoError(t, Move(t.Context(), s.Order, clustertest.Node, true))
	require.True(t, s.state("a").Ready)
	require.Equal(t, clustertest.Node, s.state("a").Node)
}

// Whoever says that a node is off gives up the pods of that one, and no others.
func TestTheWordOfAPersonCountsForANodeThatIsGone(t *testing.T) {
	s := onShift(t)
	s.Instances = []string{"a"}
	require.NoError(t, Move(t.Context(), s.Order, "ws012", true))
	for _, change := range s.changes() {
		require.NotContains(t, change, "DELETE pods/a-")
	}
}

// Nobody waits for a pod that ends when its node comes back, if ever.
func TestStopAndRemoveDoNotWaitForANodeThatIsGone(t *testing.T) {
	s := onShift(t, movedTo("ws012"))
	s.dies("a")
	s.Lose("ws012")
	s.Instances = []string{"a"}
	require.NoError(t, Stop(t.Context(), s.Order))
	require.NotNil(t, s.ledger().Overrides["a"].Stopped)
	require.Len(t, s.Names("pods"), 2)
	s.Lose("")
	require.Len(t, s.Names("pods"), 1, "it is stopped when its node is back")

	s = onShift(t, movedTo("ws012"))
	s.Lose("ws012")
	s.Instances = []string{"a"}
	require.NoError(t, Remove(t.Context(), s.Order, false))
	require.Empty(t, s.ledger().Overrides)
	require.Empty(t, s.Server.Names("deployments")[1:])
}
