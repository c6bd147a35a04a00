package ibek_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ibek"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
)

var update = flag.Bool("update", false, "write what was converted as what is wanted")

// catalogue returns the files of a catalogue, and the one that says what is wanted.
func catalogue(t *testing.T) (fstest.MapFS, *txtar.Archive, *txtar.File) {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/site.txtar")
	require.NoError(t, err)
	files := fstest.MapFS{}
	last := len(archive.Files) - 1
	for _, f := range archive.Files[:last] {
		files[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return files, archive, &archive.Files[last]
}

// TestRead converts a catalogue with all that the form has, and compares each module
// with its notes and files.
func TestRead(t *testing.T) {
	files, archive, want := catalogue(t)
	modules, err := ibek.Read(files, "module.schema.json")
	require.NoError(t, err)
	var got strings.Builder
	tree := fstest.MapFS{
		"generic-iocs/support/epics-base.yaml": {Data: []byte("git: https://a/b\nmacro: EPICS_BASE\n")},
	}
	for _, m := range modules {
		fmt.Fprintf(&got, "%s %s %s %s\n", m.Name, m.Ref, m.State, m.File)
		for _, n := range m.Open {
			fmt.Fprintf(&got, "! %s\n", n.In(m.File))
		}
		for _, name := range slices.Sorted(maps.Keys(m.Files)) {
			fmt.Fprintf(&got, "> %s\n%s", name, m.Files[name])
			tree[name] = &fstest.MapFile{Data: []byte(m.Files[name])}
		}
	}
	if *update {
		want.Data = []byte(got.String())
		require.NoError(t, os.WriteFile("testdata/site.txtar", txtar.Format(archive), 0o644))
	}
	require.Equal(t, string(want.Data), got.String())

	read, err := recipefile.Read(tree)
	require.NoError(t, err)
	require.Equal(t, []string{"scale"}, read.Modules["scaleVendor"].Needs)
	require.Equal(t, []string{"vendor.patch"}, read.Modules["scaleVendor"].Patches)
}

// A folder without a catalogue is refused, and says what one looks like.
func TestNoCatalogue(t *testing.T) {
	_, err := ibek.Read(fstest.MapFS{"asyn.install.yml": {}}, "")
	require.ErrorContains(t, err, "it has no <module>/<module>.install.yml; name the folder of a catalogue")
	assert.Equal(t, diag.Invalid, diag.KindOf(err))
}

// What a tree has is left alone, and said to be there.
func TestKept(t *testing.T) {
	files, _, _ := catalogue(t)
	modules, err := ibek.Read(files, "")
	require.NoError(t, err)
	for _, m := range modules {
		switch kept := m.Kept(fstest.MapFS{recipe.ModulePath("scale"): {}}); m.Name {
		case "scale":
			assert.Equal(t, ibek.There, kept.State)
			assert.Empty(t, kept.Files)
		default:
			assert.Equal(t, m, kept)
		}
	}
}

// Whatever a catalogue has, each of its files is accounted for, and what is written is
// a recipe.
func FuzzRead(f *testing.F) {
	archive, err := txtar.ParseFile("testdata/site.txtar")
	require.NoError(f, err)
	for _, file := range archive.Files {
		if strings.HasSuffix(file.Name, ".install.yml") {
			f.Add(file.Data)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		modules, err := ibek.Read(fstest.MapFS{
			"x/x.install.yml": {Data: text},
			"y/y.install.yml": {Data: []byte("module: y\nversion: R1\nlibs: [y, yMore]\n")},
		}, "")
		require.NoError(t, err)
		require.Len(t, modules, 2)
		for _, m := range modules {
			require.Equal(t, m.State == ibek.Not, len(m.Files) == 0)
			require.Equal(t, m.State == ibek.Wholly, len(m.Open) == 0)
			for name, text := range m.Files {
				if name == recipe.ModulePath(m.Name) {
					_, err := recipefile.ReadModule(m.Name, []byte(text))
					require.NoError(t, err)
				}
			}
		}
	})
}
