package plan

import (
	"encoding/json"
	"os"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

const commit = "0123456789012345678901234567890123456789"

// The assets of this repository are planned as any site's.
func TestNewOwn(t *testing.T) {
	own := os.DirFS("../..")
	p, err := New(own, commit, "ioc-simstage/1.0.0")
	require.NoError(t, err)
	require.Equal(t, asset.Image, p.Kind)
	require.Equal(t, "simstage", p.Image.Modules[0].Name)
	require.Equal(t, "tree", p.Image.Modules[0].Ref)
	require.EqualValues(t, "epics-base", p.Image.Parent.Asset)
	require.Equal(
		t,
		Step{
			Publish, "record ioc-simstage/1.0.0",
			"tag ioc-simstage/1.0.0: last, since a release exists when its record does",
		},
		p.Steps[len(p.Steps)-1],
	)

	p, err = New(own, commit, "bl01t/2026.11.1")
	require.NoError(t, err)
	require.Equal(t, asset.Beamline, p.Kind)
	require.Equal(t, "bl01t-mo-ioc-01", p.Beamline.Instances[0].Name)
	require.EqualValues(t, "ioc-simstage", p.Beamline.Instances[0].Image.Asset)

	text, err := json.Marshal(p)
	require.NoError(t, err)
	require.Contains(t, string(text), `"tag":"bl01t/2026.11.1"`)
	var back Plan
	require.NoError(t, json.Unmarshal(text, &back))
	require.Equal(t, p, &back)

	p, err = New(own, commit, "ioc-lib/1.0.0")
	require.NoError(t, err)
	require.Len(t, p.Steps, 3)
}

func TestNewRefuses(t *testing.T) {
	own := os.DirFS("../..")
	for text, want := range map[string]string{
		"ioc-sim/1.0.0":     "ioc-sim/1.0.0: no asset ioc-sim in this tree; assets are ",
		"support/1.0.0":     "no asset support in this tree",
		"bl01t/2026.11.01":  "bl01t/2026.11.01: leading zeros are not SemVer; tag bl01t/2026.11.1",
		"ioc-lib/7.0.8r1.0": "r1.0 after the numbers is not SemVer",
	} {
		_, err := New(own, commit, text)
		require.ErrorContains(t, err, want)
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
}

func TestAssets(t *testing.T) {
	file := &fstest.MapFile{}
	got, err := Assets(fstest.MapFS{
		"generic-iocs/ioc/image.yaml": file, "generic-iocs/ioc-b/image.yaml": file,
		"generic-iocs/support/asyn.yaml": file, "generic-iocs/.git/x": file,
		"charts/ioc-lib/Chart.yaml": file, "beamlines/bl/beamline.yaml": file, "beamlines/README.md": file,
	})
	require.NoError(t, err)
	require.Equal(
		t, asset.Assets{"ioc": asset.Image, "ioc-b": asset.Image, "ioc-lib": asset.Library, "bl": asset.Beamline}, got,
	)
	got, err = Assets(fstest.MapFS{})
	require.NoError(t, err)
	require.Empty(t, got)
	_, err = Assets(fstest.MapFS{"generic-iocs/bl/image.yaml": file, "beamlines/bl/beamline.yaml": file})
	require.EqualError(
		t, err,
		"beamlines/bl: generic-iocs/bl is an asset of this name too, and a tag bl/… could mean either; rename one of the folders",
	)
}

func TestABareTagIsOfTheOnlyAsset(t *testing.T) {
	one := fstest.MapFS{"charts/ioc-lib/Chart.yaml": &fstest.MapFile{}}
	for _, text := range []string{"1.0.0", "ioc-lib/1.0.0"} {
		p, err := New(one, commit, text)
		require.NoError(t, err)
		require.Equal(t, assettest.Tag("ioc-lib/1.0.0"), p.Tag)
	}
	_, err := New(os.DirFS("../.."), commit, "1.0.0")
	require.ErrorContains(t, err, "no asset before the version")
}
