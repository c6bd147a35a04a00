package tree

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHooks(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home) // a person's own core.hooksPath would be used
	t.Setenv("XDG_CONFIG_HOME", "")
	m := newMade(t)
	m.write("beamlines/file", "", 0o644)
	m.commit()
	r, err := Open(filepath.Join(m.dir, "beamlines"))
	require.NoError(t, err)
	dir, err := r.Hooks()
	require.NoError(t, err)
	require.Equal(t, filepath.Join(m.dir, ".git", "hooks"), dir)

	c, err := m.git.Config()
	require.NoError(t, err)
	for set, want := range map[string]string{
		".githooks": filepath.Join(m.dir, ".githooks"), "/site/hooks": "/site/hooks",
		"~/hooks": filepath.Join(home, "hooks"),
	} {
		c.Raw.Section("core").SetOption("hooksPath", set)
		require.NoError(t, m.git.SetConfig(c))
		dir, err = m.open().Hooks()
		require.NoError(t, err)
		require.Equal(t, want, dir)
		ask := exec.Command("git", "-C", m.dir, "rev-parse", "--path-format=absolute", "--git-path", "hooks")
		out, err := ask.Output()
		require.NoError(t, err)
		require.Equal(t, want, strings.TrimSpace(string(out)), "it is where git runs them from")
	}
}
