package tree

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
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

// TestHooksOfAPerson: the hooks of a person's own configuration are those that git runs,
// unless the repository has its own.
func TestHooksOfAPerson(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("XDG_CONFIG_HOME", "")
	m := newMade(t)
	for set, want := range map[string]string{
		"mine": filepath.Join(m.dir, "mine"), "~/.githooks": filepath.Join(home, ".githooks"),
		"/site/hooks": "/site/hooks",
	} {
		text := "[user]\nname = Ada\n[core]\nhooksPath = " + set + "\n"
		require.NoError(t, os.WriteFile(filepath.Join(home, ".gitconfig"), []byte(text), 0o644))
		dir, err := m.open().Hooks()
		require.NoError(t, err)
		require.Equal(t, want, dir)
	}
	c, err := m.git.Config()
	require.NoError(t, err)
	c.Raw.Section("core").SetOption("hooksPath", "own")
	require.NoError(t, m.git.SetConfig(c))
	dir, err := m.open().Hooks()
	require.NoError(t, err)
	require.Equal(t, filepath.Join(m.dir, "own"), dir)
	t.Setenv("HOME", "")
	_, err = m.open().Hooks()
	require.NoError(t, err, "a person's configuration says nothing then")
}

// TestHooksThatCannotBeFound: what git's configuration lacks is said with what to do.
func TestHooksThatCannotBeFound(t *testing.T) {
	home := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", "")
	t.Setenv("HOME", "")
	m := newMade(t)
	refused := func(r *Repository, says ...string) {
		t.Helper()
		_, err := r.Hooks()
		for _, s := range says {
			require.ErrorContains(t, err, s)
		}
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
	refused(m.open(), "reading git's configuration of "+m.dir+": ", "HOME", "; set HOME to the folder")
	t.Setenv("HOME", home)
	_, err := m.open().Hooks()
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(home, ".gitconfig"), []byte("[core\n"), 0o644))
	refused(m.open(), "; set HOME to the folder that has your .gitconfig, and see what git config --list says")

	require.NoError(t, os.WriteFile(filepath.Join(home, ".gitconfig"), []byte("[core]\nhooksPath = mine\n"), 0o644))
	bare := t.TempDir()
	_, err = git.PlainInit(bare, true)
	require.NoError(t, err)
	r, err := Open(bare)
	require.NoError(t, err)
	refused(r, "looking for the hooks of "+bare+": core.hooksPath is mine, ", "give core.hooksPath a whole path")
}
