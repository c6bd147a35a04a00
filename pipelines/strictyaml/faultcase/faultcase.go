// Package faultcase runs the tests of readers of people's files: txtar archives
// that each hold what is wrong with a tree and what a person reads.
package faultcase

import (
	"flag"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

var update = flag.Bool("update", false, "write what was seen as what is wanted")

// Tree returns the files of one txtar archive.
func Tree(t testing.TB, archive string) fstest.MapFS {
	t.Helper()
	a, err := txtar.ParseFile(archive)
	require.NoError(t, err)
	tree := fstest.MapFS{}
	for _, f := range a.Files {
		tree[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return tree
}

// Run runs read on good with the files of each archive in dir over it. Two
// files of an archive are not part of the tree: "remove" lists paths to take
// out of it, and "want" has the messages, a line each, that read's error must
// join, all of them of the kind diag.Invalid. -update rewrites "want".
func Run(t *testing.T, dir string, good fstest.MapFS, read func(fs.FS) error) {
	archives, err := filepath.Glob(filepath.Join(dir, "*.txtar"))
	require.NoError(t, err)
	require.NotEmpty(t, archives)
	for _, archive := range archives {
		t.Run(strings.TrimSuffix(filepath.Base(archive), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(archive)
			require.NoError(t, err)
			tree, want := faulty(good, a)
			var got strings.Builder
			for _, e := range diag.All(read(tree)) {
				assert.Equal(t, diag.Invalid, diag.KindOf(e))
				got.WriteString(e.Error() + "\n")
			}
			if *update {
				want.Data = []byte(got.String())
				require.NoError(t, os.WriteFile(archive, txtar.Format(a), 0o644))
			}
			assert.Equal(t, string(want.Data), got.String())
			assert.NotEmpty(t, got.String(), "nothing was refused")
		})
	}
}

// faulty returns the tree of a case, and the file of the archive with what is
// wanted.
func faulty(good fstest.MapFS, a *txtar.Archive) (fstest.MapFS, *txtar.File) {
	tree := maps.Clone(good)
	if len(a.Files) == 0 || a.Files[len(a.Files)-1].Name != "want" {
		a.Files = append(a.Files, txtar.File{Name: "want"})
	}
	for _, f := range a.Files {
		switch f.Name {
		case "want":
		case "remove":
			for _, name := range strings.Fields(string(f.Data)) {
				delete(tree, name)
			}
		default:
			tree[f.Name] = &fstest.MapFile{Data: f.Data}
		}
	}
	return tree, &a.Files[len(a.Files)-1]
}
