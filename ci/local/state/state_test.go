package state

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/step"
)

func TestWhereTheStateIs(t *testing.T) {
	t.Chdir("/")
	for want, env := range map[Dir]map[string]string{
		"/srv/state":                 {"TAGLINE_STATE": "/srv/state", "XDG_STATE_HOME": "/xdg", "HOME": "/root"},
		"/state":                     {"TAGLINE_STATE": "state", "HOME": "/root"},
		"/xdg/tagline":               {"XDG_STATE_HOME": "/xdg", "HOME": "/root"},
		"/root/.local/state/tagline": {"HOME": "/root"},
	} {
		got, err := FromEnvironment(func(name string) string { return env[name] })
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
	_, err := FromEnvironment(func(string) string { return "" })
	require.EqualError(t, err, "looking for what tagline up keeps: HOME is not set; "+
		"set HOME, or name a folder in TAGLINE_STATE")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
}

func TestPaths(t *testing.T) {
	d := Dir("/var/lib/tagline")
	for got, want := range map[string]string{
		d.Path():              "/var/lib/tagline",
		d.Path("a", "b.json"): "/var/lib/tagline/a/b.json",
		d.Mirrors():           "/var/lib/tagline/mirrors",
		d.Bin():               "/var/lib/tagline/bin",
		d.LogFile("engine"):   "/var/lib/tagline/log/engine.log",
		d.PidFile("engine"):   "/var/lib/tagline/run/engine.json",
	} {
		assert.Equal(t, want, got)
	}
}

func TestTheSecondWaitsForTheFirst(t *testing.T) {
	d := Dir(filepath.Join(t.TempDir(), "not", "made", "yet"))
	unlock, err := d.Lock(t.Context())
	require.NoError(t, err)

	waiting, locked := make(chan string, 10), make(chan error, 1)
	ctx := step.WithSink(t.Context(), func(e step.Event) { waiting <- e.Line })
	go func() {
		unlockSecond, err := d.Lock(ctx)
		if err == nil {
			unlockSecond()
		}
		locked <- err
	}()
	assert.Equal(t, "another tagline uses "+string(d)+"; waiting for it to end", <-waiting)
	select {
	case <-locked:
		t.Fatal("the second did not wait")
	case <-time.After(300 * time.Millisecond):
	}
	unlock()
	assert.NoError(t, <-locked)
	assert.Empty(t, waiting, "said once")
}

func TestWhoWaitsCanBeInterrupted(t *testing.T) {
	d := Dir(t.TempDir())
	unlock, err := d.Lock(t.Context())
	require.NoError(t, err)
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = d.Lock(ctx)
	assert.ErrorIs(t, err, context.Canceled)
}

func TestUnfinishedWorkIsRemoved(t *testing.T) {
	d := Dir(t.TempDir())
	require.NoError(t, d.RemoveTemp(t.Context()), "none is fine")
	one, err := d.MkdirTemp("kube")
	require.NoError(t, err)
	two, err := d.MkdirTemp("kube")
	require.NoError(t, err)
	assert.NotEqual(t, one, two)
	require.NoError(t, os.WriteFile(filepath.Join(one, "half"), nil, 0o644))
	require.NoError(t, d.RemoveTemp(t.Context()))
	assert.NoDirExists(t, one)
	assert.NoDirExists(t, two)
}

func TestSymlinkReplacesWhateverWasThere(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "iptables")
	for _, target := range []string{
		"/usr/sbin/iptables-legacy", "/usr/sbin/iptables-legacy", "/usr/sbin/iptables-nft",
	} {
		require.NoError(t, Symlink(target, link))
		got, err := os.Readlink(link)
		require.NoError(t, err)
		assert.Equal(t, target, got)
	}
	require.NoError(t, os.Remove(link))
	require.NoError(t, os.WriteFile(link, []byte("a file"), 0o644))
	require.NoError(t, os.Symlink("/nowhere", link+".new"), "of a run that was killed")
	require.NoError(t, Symlink("/usr/sbin/iptables-legacy", link))
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	assert.Len(t, entries, 1)
}

func TestOtherVersionsAreRemoved(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"kube-1/kube", "kube-2/kube", "daggerd-1/dagger"} {
		require.NoError(t, WriteFile(filepath.Join(dir, name), nil, 0o755))
	}
	require.NoError(t, RemoveOthers("kube-", filepath.Join(dir, "kube-2")))
	assert.NoDirExists(t, filepath.Join(dir, "kube-1"))
	assert.DirExists(t, filepath.Join(dir, "kube-2"))
	assert.DirExists(t, filepath.Join(dir, "daggerd-1"))
}

func TestWriteFileThatFailsLeavesTheOldOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "folder")
	require.NoError(t, os.MkdirAll(filepath.Join(path, "full"), 0o755))
	assert.Error(t, WriteFile(path, []byte("x"), 0o644), "a folder is in the way")
	assert.DirExists(t, filepath.Join(path, "full"))
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	assert.Len(t, entries, 1)
	assert.True(t, Exists(path))
	assert.False(t, Exists(path+"/none"))
}
