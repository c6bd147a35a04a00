package release

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// What was made takes the place of the whole folder, and nothing is written through a
// link.
func TestAGeneratedFolderIsReplacedWhole(t *testing.T) {
	root, outside := t.TempDir(), filepath.Join(t.TempDir(), "shared.cmd")
	write := func(path, text string) {
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}
	write(outside, "shared\n")
	config := filepath.Join(root, "i", "config")
	write(filepath.Join(config, "same.db"), "same\n")
	write(filepath.Join(config, "old", "a.db"), "old\n")
	require.NoError(t, os.Symlink(outside, filepath.Join(config, "st.cmd")))
	made := map[string][]byte{"same.db": []byte("same\n"), "st.cmd": []byte("iocInit\n"), "db/b.db": {0xff}}
	changed, err := ReplaceFolder(root, "i/config", made)
	require.NoError(t, err)
	require.Equal(t, []string{"i/config/db/b.db", "i/config/old/a.db", "i/config/st.cmd"}, changed)
	text, err := os.ReadFile(outside)
	require.NoError(t, err)
	require.Equal(t, "shared\n", string(text))
	for name, want := range made {
		text, err := os.ReadFile(filepath.Join(config, name))
		require.NoError(t, err)
		require.Equal(t, want, text)
	}
	changed, err = ReplaceFolder(root, "i/config", made)
	require.NoError(t, err)
	require.Empty(t, changed, "a second time")
}

// A lock file is written whole; that of what pins nothing any more is removed.
func TestLocksAreWritten(t *testing.T) {
	root := t.TempDir()
	for _, dir := range []string{"generic-iocs/a", "generic-iocs/b", "beamlines/bl01t"} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, dir), 0o755))
	}
	gone := filepath.Join(root, "generic-iocs", "b", "lock.yaml")
	require.NoError(t, os.WriteFile(gone, []byte("old\n"), 0o644))
	locks := map[string][]byte{
		"generic-iocs/a/lock.yaml": []byte("a\n"), "generic-iocs/b/lock.yaml": nil,
		"beamlines/bl01t/lock.yaml": []byte("l\n"),
	}
	for range 2 { // a second time there is nothing to remove
		written, err := WriteLocks(root, locks)
		require.NoError(t, err)
		require.Equal(t, []string{"beamlines/bl01t/lock.yaml", "generic-iocs/a/lock.yaml"}, written)
		require.NoFileExists(t, gone)
		text, err := os.ReadFile(filepath.Join(root, "generic-iocs", "a", "lock.yaml"))
		require.NoError(t, err)
		require.Equal(t, "a\n", string(text))
	}
	_, err := WriteLocks(root, map[string][]byte{"generic-iocs/c/lock.yaml": []byte("c\n")})
	require.ErrorContains(t, err, "generic-iocs/c/lock.yaml")
}
