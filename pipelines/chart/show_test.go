package chart

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// shownTree is a tree with one beamline and instance.
func shownTree() fstest.MapFS {
	const folder = "beamlines/bl01t/iocs/bl01t-a/"
	return fstest.MapFS{
		"beamlines/bl01t/beamline.yaml": {Data: []byte("namespace: p45\nvalues: {memory: 1Gi}\n")},
		folder + "values.yaml":          {Data: []byte("image: ioc-a 1.0.0+1\nprobePV: A\n")},
		folder + "config/st.cmd":        {Data: []byte("iocInit\n")},
	}
}

func TestShow(t *testing.T) {
	zeros := "@sha256:" + strings.Repeat("0", 64)
	for name, c := range map[string]struct {
		change         func(fstest.MapFS)
		pinned         asset.Pin
		version        string
		image          string
		notes          []string // what each has
		manifest, none string   // what the manifests have, and have not
	}{
		"a revision": {
			image: "ioc-a-runtime:1.0.0_1" + zeros, notes: []string{"ioc-a 1.0.0+1", "here it is 0.0.0"},
			manifest: `helm.sh/chart: "bl01t-a-0.0.0"`,
		},
		"a tag": {
			version: "2026.11.1", image: "ioc-a-runtime:1.0.0_1" + zeros, notes: []string{"all zeros"},
			manifest: `helm.sh/chart: "bl01t-a-2026.11.1"`,
		},
		"a config folder in the image": {
			change: func(tree fstest.MapFS) {
				tree["beamlines/bl01t/iocs/bl01t-a/config/db/a.db"] = &fstest.MapFile{Data: []byte("x")}
			},
			version: "1.0.0+2", image: "instances/bl01t-a:1.0.0_2" + zeros, notes: []string{"one more layer"},
			none: "kind: ConfigMap",
		},
		"a released library chart": {
			pinned: assettest.Pin("ioc-lib 1.2.0"), version: "1.0.0", image: "ioc-a-runtime:1.0.0_1" + zeros,
			notes: []string{"all zeros", "the library chart is ioc-lib 1.2.0"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tree := shownTree()
			if c.change != nil {
				c.change(tree)
			}
			s, err := Show(tree, c.pinned, "bl01t", "bl01t-a", c.version)
			require.NoError(t, err)
			require.Equal(t, c.image, s.Image)
			require.Contains(t, s.Manifests, `image: "`+c.image+`"`)
			require.Contains(t, s.Manifests, c.manifest)
			if c.none != "" {
				require.NotContains(t, s.Manifests, c.none)
			}
			require.Len(t, s.Notes, len(c.notes))
			for i, note := range c.notes {
				require.Contains(t, s.Notes[i], note)
			}
			require.Equal(t, "p45", s.Namespace)
			require.Equal(t, "image", s.Values[0].Key)
		})
	}
}

// What is not there, or can't be rendered, is bad input.
func TestShowRefuses(t *testing.T) {
	for _, c := range []struct{ name, instance, version, says string }{
		{"i22", "i22-a", "", "the beamlines here are bl01t"},
		{"bl01t", "bl01t-zzz-9", "", "the instances here are bl01t-a"},
		{"bl01t", "bl01t-a", "2026.09.01", "tag a SemVer version"},
	} {
		_, err := Show(shownTree(), asset.Pin{}, asset.Name(c.name), c.instance, c.version)
		require.ErrorContains(t, err, c.says)
		require.Equal(t, diag.Invalid, diag.KindOf(err), c.says)
	}
}
