package host

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/local/state"
)

func TestCgroupRoots(t *testing.T) {
	mkfile := func(t *testing.T, path ...string) string {
		p := filepath.Join(path...)
		require.NoError(t, state.WriteFile(p, nil, 0o644))
		return p
	}
	t.Run("second version", func(t *testing.T) {
		mount := t.TempDir()
		mkfile(t, mount, "cgroup.controllers")
		mkfile(t, mount, "system.slice", "cgroup.procs")
		roots, err := cgroupRoots(mount)
		require.NoError(t, err)
		assert.Equal(t, []string{mount}, roots)
	})
	t.Run("first version", func(t *testing.T) {
		mount := t.TempDir()
		mkfile(t, mount, "cpu,cpuacct", "cgroup.procs")
		mkfile(t, mount, "memory", "cgroup.procs")
		require.NoError(t, os.Symlink("cpu,cpuacct", filepath.Join(mount, "cpu")))
		roots, err := cgroupRoots(mount)
		require.NoError(t, err)
		assert.ElementsMatch(t, []string{filepath.Join(mount, "cpu,cpuacct"), filepath.Join(mount, "memory")}, roots)
	})
	t.Run("none", func(t *testing.T) {
		_, err := cgroupRoots(t.TempDir())
		assert.Error(t, err)
	})
}

func TestRemoveCgroup(t *testing.T) {
	top := filepath.Join(t.TempDir(), "tagline")
	require.NoError(t, os.MkdirAll(filepath.Join(top, "kubepods", "burstable", "pod1", "c1"), 0o755))
	require.NoError(t, os.MkdirAll(filepath.Join(top, "kubepods", "besteffort"), 0o755))
	require.NoError(t, removeCgroup(top))
	assert.NoDirExists(t, top)
	assert.NoError(t, removeCgroup(top), "none is fine")
}
