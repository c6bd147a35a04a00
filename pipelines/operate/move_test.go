package operate

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/cluster/clustertest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/helm"
	"github.com/tagline-ci/tagline/pipelines/ledger"
)

// drift is what somebody changed by hand, of both IOCs.
func (s *shift) drift() (all []string) {
	s.t.Helper()
	set := s.ledger().Overrides
	for _, name := range []string{"a", "b"} {
		found, err := helm.Drift(s.t.Context(), s.Cluster, name, set[name])
		require.NoError(s.t, err)
		all = append(all, found...)
	}
	return all
}

func TestMoveAndBack(t *testing.T) {
	s := onShift(t)
	other := s.state("b").Pod
	s.Instances = []string{"a"}
	require.NoError(t, Move(t.Context(), s.Order, "ws012", false))
	require.Equal(t, "ws012", s.state("a").Node)
	require.True(t, s.state("a").Ready)
	require.Equal(t, other, s.state("b").Pod, "the other is not touched")
	require.Equal(t, map[string]ledger.Override{"a": {Node: "ws012"}}, s.ledger().Overrides)
	require.Equal(t, ledger.Entry{By: "me", Did: "move", Instance: "a", Reason: "it hangs"}, s.last())
	require.Empty(t, s.drift(), "what is set on purpose is no drift")

	require.NoError(t, Move(t.Context(), s.Order, "", false))
	require.Equal(t, clustertest.Node, s.state("a").Node, "its chart decides again")
	require.Empty(t, s.ledger().Overrides)
	require.Empty(t, s.drift())
}

// The image is on the node before the IOC is stopped where it ran.
func TestMoveFetchesTheImageFirst(t *testing.T) {
	s := onShift(t)
	s.Instances = []string{"a"}
	require.NoError(t, Move(t.Context(), s.Order, "ws012", false))
	changes := s.changes()
	require.Equal(t, "POST pods", changes[0])
	require.Contains(t, changes[1], "DELETE pods/tagline-pull-")
	require.Equal(t, "PUT configmaps/tagline", changes[2])
	s = onShift(t)
	s.Refuse("POST pods")
	require.NoError(t, Move(t.Context(), s.Order, "ws012", false), "whoever may not make pods moves all the same")
	require.Equal(t, "ws012", s.state("b").Node)
}

// An IOC that does not get ready on its new node is put back where it was, and so
// are those that were moved with it.
func TestAMoveThatFailsIsUndone(t *testing.T) {
	s := onShift(t, movedTo("ws012"))
	s.Unready(func(node string) bool { return node == "ws013" })
	err := Move(s.impatient(), s.Order, "ws013", false)
	require.Equal(t, diag.Undone, diag.KindOf(err))
	require.ErrorContains(t, err, "moving a, b to node ws013: ")
	require.ErrorContains(t, err, "a: not ready: ")
	require.Equal(t, []string{"ws012", clustertest.Node}, []string{s.state("a").Node, s.state("b").Node})
	require.Equal(t, map[string]ledger.Override{"a": {Node: "ws012"}}, s.ledger().Overrides)
	require.Contains(t, s.last().Failed, "moving a, b to node ws013")
	require.Empty(t, s.drift())
}

// A cluster that refuses half way leaves the IOCs where they were: what was moved
// is moved back.
func TestAMoveThatTheClusterRefusesHalfWayIsUndone(t *testing.T) {
	s := onShift(t)
	s.Refuse("PATCH deployments/b")
	err := Move(t.Context(), s.Order, "ws012", false)
	require.ErrorContains(t, err, "putting b back on revision 1")
	require.ErrorContains(t, err, "and moving back: freeing b from its node")
	require.Equal(t, clustertest.Node, s.state("a").Node)
	require.Equal(t, clustertest.Node, s.state("b").Node)
	require.Empty(t, s.ledger().Overrides)
}

// One IOC that can't be put back keeps no other from it.
func TestAMoveIsUndoneAsFarAsItCanBe(t *testing.T) {
	s := onShift(t)
	s.Unready(func(node string) bool { return node == "ws012" })
	bothMoved := s.impatient(func() { s.Refuse("PATCH deployments/a") })
	err := Move(bothMoved, s.Order, "ws012", false)
	require.ErrorContains(t, err, "and moving back: freeing a from its node")
	require.Equal(t, clustertest.Node, s.state("b").Node)
}

// An IOC that is stopped is moved and stays stopped.
func TestMoveDoesNotStart(t *testing.T) {
	s := onShift(t, stopped)
	s.Instances = []string{"a"}
	require.NoError(t, Move(t.Context(), s.Order, "ws012", false))
	require.Empty(t, s.state("a").Pod)
	set := s.ledger().Overrides["a"]
	require.Equal(t, []string{"ada", "ws012"}, []string{set.Stopped.By, set.Node})
	require.NoError(t, Start(t.Context(), s.Order))
	require.Equal(t, "ws012", s.state("a").Node)
}

func TestAMoveToAnUnknownNodeChangesNothing(t *testing.T) {
	s := onShift(t)
	err := Move(t.Context(), s.Order, "nosuch", false)
	require.EqualError(
		t, err, "looking for node nosuch: no node of this name is ready; name one of: ws011, ws012, ws013",
	)
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	require.Equal(t, []string{"POST configmaps"}, s.changes(), "the history, and no more")
	s.Refuse("GET nodes")
	require.NoError(t, Move(t.Context(), s.Order, "ws012", false), "whoever may not look at nodes finds out by moving")
}
