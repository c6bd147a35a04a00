package beamline_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// An autosave volume may grow, come and go. One that shrinks is named with the place
// that says so.
func TestShrinks(t *testing.T) {
	for _, c := range []struct{ old, shared, own, place string }{
		{"1Gi", "", "autosave: 2Gi\n", ""},
		{"1Gi", "", "autosave: 1024Mi\n", ""},
		{"1Gi", "", "", ""},
		{"\"\"", "", "autosave: 1Mi\n", ""},
		{"1Gi", "", "autosave: 1023Mi\n", "beamlines/bl01t/iocs/bl01t-a/values.yaml:3"},
		{"1Gi", "values:\n  autosave: 1M\n", "", "beamlines/bl01t/beamline.yaml:3"},
	} {
		before, err := beamline.Read(pair("", "autosave: "+c.old+"\n", ""), "bl01t")
		require.NoError(t, err)
		tree := pair(c.shared, c.own, "")
		now, err := beamline.Read(tree, "bl01t")
		require.NoError(t, err)
		err = now.Shrinks(tree, before, "bl01t/1.0.0")
		if c.place == "" {
			require.NoError(t, err, c)
			continue
		}
		require.ErrorContains(t, err, c.place+": the autosave volume of bl01t-a had 1Gi in bl01t/1.0.0, and "+
			"Kubernetes can't shrink it to 1")
		require.ErrorContains(t, err, "; write autosave: 1Gi, or more")
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
	gone, err := beamline.Read(pair("", "", ""), "bl01t")
	require.NoError(t, err)
	tree := pair("", "autosave: 1Mi\n", "")
	now, err := beamline.Read(tree, "bl01t")
	require.NoError(t, err)
	gone.Instances = nil
	require.NoError(t, now.Shrinks(tree, gone, "bl01t/1.0.0"))
}
