package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/local/state"
)

// The test binary is also the program that makes an enclosure.
func TestMain(m *testing.M) {
	if len(os.Args) > 3 && os.Args[1] == VerbEnclosed {
		if err := RunEnclosed(os.Args[2], os.Args[3:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
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
	s := state.Dir(t.TempDir())
	shown := filepath.Join(t.TempDir(), "shown")
	require.NoError(t, os.WriteFile(shown, []byte("from outside"), 0o644))
	seen := t.TempDir()
	d := Daemon{
		Name: "enclosed", Self: []string{os.Args[0]},
		Private: &Enclosure{Empty: []string{"/run"}, Copied: []string{"/etc"}, Scratch: "/run/scratch",
			Binds: []Bind{{shown, "/etc/tagline-test/shown"}}},
		Args: []string{"/bin/sh", "-c", "cat /etc/tagline-test/shown >" + seen + "/shown;" +
			"ls -A /run >" + seen + "/run;" +
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

	require.NoError(t, Stop(t.Context(), s, d.Name))
	assert.Eventually(t, func() bool { return sleeper("4711") != nil }, time.Minute, 50*time.Millisecond)
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
		if p, err := readStat(pid); err == nil && p.State != "Z" {
			return nil
		}
	}
	return errors.New("nobody sleeps")
}
