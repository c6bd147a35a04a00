package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The test binary is also the program that Up starts in the background.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == "serve" {
		if err := Serve(context.Background(), os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestServeIsNotForPeople(t *testing.T) {
	for _, args := range [][]string{nil, {"engine"}, {verbEnclosed}, {verbShelf}} {
		assert.ErrorContains(t, Serve(t.Context(), args), "`tagline up` alone")
	}
}

// An enclosed process writes to /etc and /run, mounts, and leaves an orphan in
// a session of its own; of all that nothing may be seen or stay.
func TestAnEnclosureHoldsEverything(t *testing.T) {
	if testing.Short() {
		t.Skip("makes namespaces")
	}
	if os.Geteuid() != 0 {
		t.Skip("only root makes namespaces")
	}
	s := State{Dir: t.TempDir()}
	shown := filepath.Join(t.TempDir(), "shown")
	require.NoError(t, os.WriteFile(shown, []byte("from outside"), 0o644))
	seen := t.TempDir()
	d := daemon{
		Name: "enclosed", Self: []string{os.Args[0], "serve"},
		Private: &Enclosure{Empty: []string{"/run"}, Copied: []string{"/etc"}, Scratch: "/run/scratch",
			Binds: []Bind{{shown, "/etc/tagline-test/shown"}}},
		Args: []string{"/bin/sh", "-c", "cat /etc/tagline-test/shown >" + seen + "/shown; ls -A /run >" + seen + "/run;" +
			"touch /etc/tagline-test/made /run/tagline-test; mount -t tmpfs none /mnt;" +
			"setsid sleep 4711 & wait"},
		Ready: func(context.Context) error { return sleeper("4711") },
	}
	startForTest(t, s, d)

	b, err := os.ReadFile(filepath.Join(seen, "shown"))
	require.NoError(t, err)
	assert.Equal(t, "from outside", string(b))
	b, err = os.ReadFile(filepath.Join(seen, "run"))
	require.NoError(t, err)
	assert.Equal(t, "scratch\n", string(b))
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	assert.NotContains(t, string(mounts), " /mnt ")
	assert.NotContains(t, string(mounts), "/etc/tagline-test")
	assert.NoFileExists(t, "/etc/tagline-test/made")
	assert.NoFileExists(t, "/run/tagline-test")

	require.NoError(t, s.stop(t.Context(), d.Name))
	assert.Eventually(t, func() bool { return sleeper("4711") != nil }, 10*time.Second, 50*time.Millisecond)
}

// sleeper is nil while a `sleep` of so many seconds lives.
func sleeper(seconds string) error {
	dirs, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range dirs {
		b, err := os.ReadFile(filepath.Join(dir, "cmdline"))
		if err != nil || string(b) != "sleep\x00"+seconds+"\x00" {
			continue
		}
		pid, _ := strconv.Atoi(filepath.Base(dir))
		if p, err := readStat(pid); err == nil && p.state != 'Z' {
			return nil
		}
	}
	return errors.New("nobody sleeps")
}

func TestEveryShelfOfAStateServesIt(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process")
	}
	s := State{Dir: t.TempDir()}
	require.NoError(t, writeFile(s.portsFile(), []byte(`{}`), 0o644))
	require.NoError(t, importTarball(t.Context(), filepath.Join(s.MirrorsDir(), testSource.Repository+".git"), packTar(t, "README", "x"), testSource))
	o := Options{State: s, Self: []string{os.Args[0], "serve"}, Progress: func(string, string) {}}
	ports, err := startShelf(t.Context(), o, gatewayIP)
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.stop(context.Background(), verbShelf) })
	again, err := startShelf(t.Context(), o, gatewayIP)
	require.NoError(t, err)
	assert.Equal(t, ports, again)
	url := fmt.Sprintf("http://127.0.0.1:%d/%s/info/refs?service=git-upload-pack", ports.Mirrors, testSource.Repository)
	assert.NoError(t, reach(t.Context(), url, 200))
	assert.True(t, strings.HasPrefix(ports.mirrorURL(), "http://"+gatewayIP))
}
