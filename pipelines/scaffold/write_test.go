package scaffold

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// two are files in folders that are not there.
var two = Files{"tagline.yaml": "registry: x\n", "generic-iocs/ioc-a/image.yaml": "from: x 1.0.0\n"}

// TestWrite: files are written as they are, in folders that are made for them.
func TestWrite(t *testing.T) {
	root := filepath.Join(t.TempDir(), "new")
	require.NoError(t, two.Write(root))
	for _, name := range two.Names() {
		text, err := os.ReadFile(filepath.Join(root, name))
		require.NoError(t, err)
		require.Equal(t, two[name], string(text))
	}
	require.Equal(t, []string{"generic-iocs/ioc-a/image.yaml", "tagline.yaml"}, two.Names())
}

// TestNothingIsOverwritten: what is there stays, whatever it is, and nothing else is
// written beside it.
func TestNothingIsOverwritten(t *testing.T) {
	for what, put := range map[string]func(path string) error{
		"a file":                 func(path string) error { return os.WriteFile(path, []byte("mine\n"), 0o644) },
		"a folder":               func(path string) error { return os.Mkdir(path, 0o755) },
		"a link to nothing":      func(path string) error { return os.Symlink("nowhere", path) },
		"a link out of the tree": func(path string) error { return os.Symlink("/dev/null", path) },
	} {
		root := t.TempDir()
		require.NoError(t, put(filepath.Join(root, "tagline.yaml")))
		err := two.Write(root)
		require.EqualError(t, err, "tagline.yaml: it is there already, and nothing is overwritten; "+
			"choose another name, or take it away", what)
		require.Equal(t, diag.Invalid, diag.KindOf(err))
		require.NoDirExists(t, filepath.Join(root, "generic-iocs"), what)
	}
	root := t.TempDir()
	require.NoError(t, two.Write(root))
	require.Len(t, diag.All(two.Write(root)), 2, "all that are there are named")
}

// TestWhereNothingCanBeWritten: a file in the place of a folder is no file that is there.
func TestWhereNothingCanBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	err := two.Write(file)
	require.ErrorContains(t, err, "tagline.yaml: it can't be written: ")
	require.ErrorContains(t, err, "; name a folder that you can write in")
	require.NotContains(t, err.Error(), "there already")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
}
