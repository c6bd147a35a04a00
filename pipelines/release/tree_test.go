package release

import (
	"maps"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// A beamline alone is packaged with the released library chart that its settings
// name; check refuses one that is not released.
func TestABeamlineOnAReleasedLibrary(t *testing.T) {
	files := maps.Clone(line())
	files["tagline.yaml"] = "library: ioc-lib 1.2.0\n"
	s := newSite(t, files)
	s.ioc("ioc-x 1.0.0", asset.Image)
	before := s.repositories()
	_, err := s.CheckTree(t.Context(), "HEAD", false)
	require.ErrorContains(t, err, "tagline.yaml: ioc-lib 1.2.0 is not released in 127.0.0.1")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	j, w := s.beamline(booted)
	require.ErrorContains(t, j.release(t.Context(), w), "tagline.yaml: ioc-lib 1.2.0 is not released in 127.0.0.1")
	require.Equal(t, before, s.repositories())

	other := newSite(t, library(t))
	other.Registry = s.Registry
	other.commit(map[string]string{"charts/ioc-lib/templates/_note.tpl": "{{/* of the release */}}"}, "ioc-lib/1.2.0")
	rec, err := other.Run(t.Context(), "ioc-lib/1.2.0")
	require.NoError(t, err)
	sum, err := s.CheckTree(t.Context(), "HEAD", false)
	require.NoError(t, err)
	require.Equal(t, 2, sum.Instances)
	require.NoError(t, j.release(t.Context(), w))
	got, err := s.library(t.Context(), j.files, j.site.Library)
	require.NoError(t, err)
	archive, err := got.Archive("1.2.0")
	require.NoError(t, err)
	want, err := s.Registry.Chart(t.Context(), rec.Artifacts[0].Pinned())
	require.NoError(t, err)
	require.Equal(t, want, archive, "it is the released one, and not the program's")
}

// Nothing is green without the registry but the tree alone.
func TestCheckOfATreeAsksTheRegistry(t *testing.T) {
	s := newSite(t, line())
	_, err := s.CheckTree(t.Context(), "HEAD", false)
	require.ErrorContains(t, err, "beamlines/bl01t/iocs/bl01t-a/values.yaml: ioc-x 1.0.0 is not released in 127.0.0.1")
	require.Len(t, diag.All(err), 1)
	s.Registry = nil
	_, err = s.CheckTree(t.Context(), "HEAD", false)
	require.ErrorContains(t, err, "no registry is named")
	sum, err := s.CheckTree(t.Context(), "HEAD", true)
	require.NoError(t, err)
	require.Equal(t, []string{
		"beamlines/bl01t/iocs/bl01t-a/values.yaml: runs ioc-x 1.0.0, which is not in this tree",
		"beamlines/bl01t/iocs/bl01t-b/values.yaml: runs ioc-x 1.0.0, which is not in this tree",
	}, sum.Outside)
	_, err = s.Check(t.Context(), "HEAD", "bl01t/1.0.0", true)
	require.ErrorContains(t, err, "it runs ioc-x 1.0.0, which can't be built from this tree")
	s.commit(map[string]string{"tagline.yaml": "regstry: x\n"})
	_, err = s.CheckTree(t.Context(), "HEAD", true)
	require.ErrorContains(t, err, `tagline.yaml:1: unknown key "regstry"; did you mean "registry"?`)
	_, err = s.Check(t.Context(), "HEAD", "bl01t/1.0.0", true)
	require.ErrorContains(t, err, `tagline.yaml:1: unknown key "regstry"`)
}

// What no release of a library chart would take is refused before one is tagged.
func TestCheckReadsEachLibraryChart(t *testing.T) {
	s := newSite(t, library(t))
	_, err := s.CheckTree(t.Context(), "HEAD", false)
	require.NoError(t, err)
	s.commit(map[string]string{
		"charts/application/Chart.yaml":   "apiVersion: v2\nname: application\nversion: 1.0.0\n",
		"charts/Our_Lib/Chart.yaml":       "apiVersion: v2\nname: Our_Lib\nversion: 1.0.0\ntype: library\n",
		"charts/moved/Chart.yaml":         "apiVersion: v2\nname: ioc-lib\nversion: 1.0.0\ntype: library\n",
		"charts/moved/values.schema.json": "{}",
	})
	for _, inTree := range []bool{false, true} {
		_, err = s.CheckTree(t.Context(), "HEAD", inTree)
		require.Equal(t, diag.Invalid, diag.KindOf(err))
		faults := diag.All(err)
		require.Len(t, faults, 3)
		require.ErrorContains(t, faults[0], `charts/Our_Lib: "Our_Lib" can't be a library chart's name`)
		require.ErrorContains(t, faults[1], `charts/application/Chart.yaml: reading library chart: type is "", not library`)
		require.ErrorContains(
			t, faults[2],
			`charts/moved/Chart.yaml: reading library chart: the chart is called "ioc-lib", and its folder moved; `+
				"write name: moved",
		)
	}
}
