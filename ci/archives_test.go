package ci_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestArchives: the sources of the stand-ins' modules, which the command carries,
// are what stands in the modules' folders.
func TestArchives(t *testing.T) {
	for _, name := range []string{"daggerd", "kube"} {
		file, want := filepath.Join("local", "leaf", name+".txtar"), archive(t, filepath.Join("local", name))
		if *update {
			require.NoError(t, os.WriteFile(file, want, 0o644))
		}
		got, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.True(t, string(want) == string(got), "%s is old; run: go test ./ci -run %s -update", file, t.Name())
	}
}

// archive returns the files of a module but its tests.
func archive(t *testing.T, dir string) []byte {
	t.Helper()
	a := &txtar.Archive{Comment: []byte("Copied from ci/local by: go test ./ci -run Archives -update\n")}
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		a.Files = append(a.Files, txtar.File{Name: filepath.ToSlash(name), Data: text})
		return err
	}))
	return txtar.Format(a)
}
