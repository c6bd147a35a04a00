package tags

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/go-git/go-git/v5"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// hooked returns a repository, and the file of its hook.
func hooked(t *testing.T) (*tree.Repository, string) {
	t.Setenv("HOME", t.TempDir()) // a person's own core.hooksPath would be used
	t.Setenv("XDG_CONFIG_HOME", "")
	dir := t.TempDir()
	_, err := git.PlainInit(dir, false)
	require.NoError(t, err)
	repo, err := tree.Open(dir)
	require.NoError(t, err)
	return repo, filepath.Join(dir, ".git", "hooks", "pre-push")
}

// The hook is a program that git can run, also where it was installed before, or where its
// file lost that.
func TestTheHookIsInstalled(t *testing.T) {
	repo, file := hooked(t)
	for range 2 {
		installed, err := InstallHook(repo)
		require.NoError(t, err)
		require.Equal(t, file, installed)
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Equal(t, Hook, string(text))
		there, err := os.Stat(file)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o755), there.Mode().Perm())
		require.NoError(t, os.WriteFile(file, []byte("# tagline tag hook install, of an older version\n"), 0o644))
		require.NoError(t, os.Chmod(file, 0o644))
	}
}

// A hook of somebody else is left as it is.
func TestAnothersHookStays(t *testing.T) {
	repo, file := hooked(t)
	require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
	require.NoError(t, os.WriteFile(file, []byte("#!/bin/sh\nmake lint\n"), 0o755))
	_, err := InstallHook(repo)
	require.ErrorContains(t, err, "there is a pre-push hook already; add the lines that tagline tag hook shows to it")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "#!/bin/sh\nmake lint\n", string(text))
}

// Where the hook can't be written, the error names the folder to mend.
func TestAHookThatCannotBeWritten(t *testing.T) {
	repo, file := hooked(t)
	hooks := filepath.Dir(file)
	fix := "; make " + hooks + " a folder that you can write in"
	require.NoError(t, os.WriteFile(hooks, nil, 0o644), "a file in the place of the folder")
	_, err := InstallHook(repo)
	require.ErrorContains(t, err, "installing "+file+": ")
	require.ErrorContains(t, err, fix)
	require.NoError(t, os.Remove(hooks))
	require.NoError(t, os.MkdirAll(file, 0o755), "a folder in the place of the hook")
	_, err = InstallHook(repo)
	require.ErrorContains(t, err, fix)
}
