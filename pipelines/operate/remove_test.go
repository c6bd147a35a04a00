package operate

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ledger"
)

func TestRemoveTakesOneIOCOut(t *testing.T) {
	s := onShift(t, movedTo("ws012"))
	other := s.state("b").Pod
	s.Instances = []string{"a"}
	require.NoError(t, Remove(t.Context(), s.Order, false))
	require.Equal(t, []string{"b"}, s.Names("deployments"))
	require.Equal(t, []string{other}, s.Names("pods"))
	require.Equal(t, []string{"a-autosave", "b-autosave"}, s.Names("persistentvolumeclaims"), "its positions stay")
	l := s.ledger()
	require.Empty(t, l.Overrides)
	require.Len(t, l.Current().Record.Instances, 1, "it is not missing from the release")
	require.Equal(t, ledger.Entry{By: "me", Did: "remove", Instance: "a", Reason: "it hangs"}, s.last())
	require.ErrorContains(t, Stop(t.Context(), s.Order), "looking for a: bl01t has no such IOC; name one of: b")
}

// A beamline that is removed is forgotten, but for its history and what Helm needs
// to bring it back.
func TestRemoveTheWholeBeamline(t *testing.T) {
	s := onShift(t)
	require.NoError(t, Remove(t.Context(), s.Order, true))
	for _, resource := range []string{"deployments", "pods", "persistentvolumeclaims"} {
		require.Empty(t, s.Names(resource), resource)
	}
	require.Equal(t, []string{"tagline-history"}, s.Names("configmaps"))
	require.Equal(t, []string{"sh.helm.release.v1.a.v1", "sh.helm.release.v1.b.v1"}, s.Names("secrets"))
	require.Equal(t, ledger.Entry{By: "me", Did: "remove", Reason: "it hangs"}, s.last())
	require.ErrorContains(
		t, Remove(t.Context(), s.Order, true), "nothing was ever promoted to namespace bl01t",
	)
}

func TestNothingIsRemovedWhileAPromotionIsHalfDone(t *testing.T) {
	s := onShift(t, func(l *ledger.Ledger) {
		l.Underway = &ledger.Underway{Version: assettest.Version("1.0.1")}
	})
	err := Remove(t.Context(), s.Order, true)
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.Equal(t, []string{"POST configmaps"}, s.changes(), "the history, and no more")
	require.Contains(t, s.last().Failed, "a promotion to 1.0.1 began and has not ended")
}

// When the cluster refuses one IOC, the beamline is not forgotten, and the same
// command removes the rest.
func TestARemovalThatIsRefusedHalfWayIsFinishedLater(t *testing.T) {
	for refused, says := range map[string]string{
		"DELETE deployments/b":                     "uninstalling b",
		"DELETE persistentvolumeclaims/b-autosave": "deleting the claim of b",
		"DELETE configmaps/tagline":                "forgetting bl01t in namespace bl01t",
	} {
		s := onShift(t)
		s.Refuse(refused)
		err := Remove(t.Context(), s.Order, true)
		require.ErrorContains(t, err, says, refused)
		require.Contains(t, s.last().Failed, says, refused)
		require.Contains(t, s.Names("configmaps"), "tagline", refused)
		require.NotContains(t, s.Names("deployments"), "a", "another IOC's trouble is not its own")
		s.Refuse("")
		require.NoError(t, Remove(t.Context(), s.Order, true), refused)
		for _, resource := range []string{"deployments", "pods", "persistentvolumeclaims"} {
			require.Empty(t, s.Names(resource), refused)
		}
	}
}
