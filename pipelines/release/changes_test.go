package release

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/plan"
)

// A branch that pins another library chart changes the chart of every instance; what was
// wrong with the settings before does not matter.
func TestABranchThatPinsAnotherLibrary(t *testing.T) {
	s := newSite(t, line())
	s.commit(map[string]string{"tagline.yaml": "library: ioc-lib\n"}, "broken")
	s.commit(map[string]string{"tagline.yaml": "library: ioc-lib 1.2.0\n"}, "pinned")
	s.commit(map[string]string{"tagline.yaml": "library: ioc-lib 1.2.0\nregistry: ghcr.io/o\n"}, "named")
	for since, want := range map[string]int{"broken": 2, "HEAD~3": 2, "pinned": 0} {
		changes, err := Changes(s.Repo, since, "HEAD")
		require.NoError(t, err, since)
		if want == 0 {
			require.Empty(t, changes.Assets, since)
			continue
		}
		require.Len(t, changes.Assets, 1, since)
		require.Len(t, changes.Assets[0].Instances, want, since)
		require.Equal(
			t, plan.Affected{Name: "bl01t-a", Why: []string{"tagline.yaml: library changed"}},
			changes.Assets[0].Instances[0], since,
		)
	}
	_, err := Changes(s.Repo, "HEAD", "broken")
	require.ErrorContains(t, err, "tagline.yaml:1")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
}

func TestChangesOfWhatIsNotThere(t *testing.T) {
	s := newSite(t, line())
	for _, revs := range [][2]string{{"nowhere", "HEAD"}, {"HEAD", "nowhere"}} {
		_, err := Changes(s.Repo, revs[0], revs[1])
		require.ErrorContains(t, err, "resolving revision nowhere")
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
}
