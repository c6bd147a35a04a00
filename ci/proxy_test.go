package ci_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/mod/modfile"
	gomodule "golang.org/x/mod/module"
	"golang.org/x/mod/zip"
)

// TestNoReplace: Go refuses to install a command of a module that replaces
// another, since nobody else would build it of the same parts.
func TestNoReplace(t *testing.T) {
	assert.Empty(t, rootModule(t).Replace, "go.mod")
}

// TestGoInstall installs the last commit as anybody does: in an empty folder, from
// a module proxy.
func TestGoInstall(t *testing.T) {
	if testing.Short() {
		t.Skip("links the whole command")
	}
	version := gomodule.Version{
		Path: rootModule(t).Module.Mod.Path, Version: "v0.0.1-g" + output(t, "git", "rev-parse", "--short", "HEAD"),
	}
	proxy := filepath.ToSlash(publish(t, version))
	bin := t.TempDir()
	install := exec.CommandContext(t.Context(), "go", "install", version.Path+"/ci/tagline@"+version.Version)
	install.Dir = t.TempDir()
	install.Env = append(os.Environ(), "GOBIN="+bin, "GOFLAGS=-modcacherw", "GOWORK=off",
		"GONOSUMDB="+version.Path, "GOPROXY=file://"+proxy+","+output(t, "go", "env", "GOPROXY"))
	forget(t, version)
	out, err := install.CombinedOutput()
	require.NoError(t, err, string(out))
	out, err = exec.CommandContext(t.Context(), filepath.Join(bin, "tagline"), "--help").CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "tagline release")
}

// publish writes a module proxy of files that serves the last commit as one
// version, and returns its folder.
func publish(t *testing.T, v gomodule.Version) string {
	t.Helper()
	proxy := t.TempDir()
	escaped, err := gomodule.EscapePath(v.Path)
	require.NoError(t, err)
	dir := filepath.Join(proxy, escaped, "@v")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	info, err := json.Marshal(struct {
		Version string
		Time    time.Time
	}{v.Version, time.Unix(0, 0).UTC()})
	require.NoError(t, err)
	gomod := output(t, "git", "show", "HEAD:go.mod")
	require.NoError(t, os.WriteFile(filepath.Join(dir, v.Version+".info"), info, 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, v.Version+".mod"), []byte(gomod+"\n"), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "list"), []byte(v.Version+"\n"), 0o644))
	archive, err := os.Create(filepath.Join(dir, v.Version+".zip"))
	require.NoError(t, err)
	require.NoError(t, zip.CreateFromVCS(archive, v, "..", "HEAD", ""))
	require.NoError(t, archive.Close())
	return proxy
}

// forget takes what go keeps of a version out of its cache when the test ends.
// The cache itself is shared, so that nothing is compiled for the test alone.
func forget(t *testing.T, v gomodule.Version) {
	t.Helper()
	cache := output(t, "go", "env", "GOMODCACHE")
	escaped, err := gomodule.EscapePath(v.Path)
	require.NoError(t, err)
	download := filepath.Join(cache, "cache", "download", escaped, "@v")
	t.Cleanup(func() {
		assert.NoError(t, os.RemoveAll(filepath.Join(cache, escaped+"@"+v.Version)))
		kept, err := fs.Glob(os.DirFS(download), v.Version+".*")
		assert.NoError(t, err)
		for _, file := range kept {
			assert.NoError(t, os.Remove(filepath.Join(download, file)))
		}
	})
}

// rootModule reads the repository's go.mod.
func rootModule(t *testing.T) *modfile.File {
	t.Helper()
	text, err := os.ReadFile("../go.mod")
	require.NoError(t, err)
	file, err := modfile.Parse("go.mod", text, nil)
	require.NoError(t, err)
	return file
}

// output runs a program in the repository's root and returns what it prints.
func output(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = ".."
	out, err := cmd.Output()
	require.NoError(t, err, "%s %s", name, strings.Join(args, " "))
	return strings.TrimSpace(string(out))
}
