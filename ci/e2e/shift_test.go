package e2e

import (
	"bufio"
	"context"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestWhatIsTypedOnShift types the commands that look at a beamline which runs, go on
// until Ctrl-C, or want a terminal.
func TestWhatIsTypedOnShift(t *testing.T) {
	s, reg := newSite(t, "bl82t"), registry(t)
	s.images(reg)
	s.commit("bl82t/1.0.0", "bl82t/1.0.1")
	ok(t, s.dir, "release", "bl82t/1.0.0", "--registry", reg)
	ok(t, s.dir, "promote", "bl82t", "1.0.0", "--registry", reg)
	t.Cleanup(func() { remove(t, "bl82t") })
	ok(t, s.dir, "release", "bl82t/1.0.1", "--registry", reg)
	require.Regexp(t, `(?m)^1\.0\.1 +yes +- +open\n1\.0\.0 +yes +\S+ \S+, runs +open$`,
		ok(t, s.dir, "versions", "bl82t", "--registry", reg))

	const ioc, started = "bl82t-mo-ioc-01", "iocRun: All initialization complete"
	recent := ok(t, s.dir, "logs", "bl82t", "--since", "1h", "--grep", started)
	require.ElementsMatch(t, []string{ioc + " " + started, "bl82t-mo-ioc-02 " + started},
		strings.Split(strings.TrimSpace(recent), "\n"))
	require.Empty(t, ok(t, s.dir, "logs", "bl82t", "--since", "1s", "--grep", started))
	s.interrupt(started, "logs", "bl82t", ioc, "--follow")
	s.interrupt(ioc, "status", "bl82t", "--watch")

	require.Contains(t, s.atTerminal("echo $((6 * 7)) in $IOC_NAME", "shell", "bl82t", ioc), "42 in "+ioc)
	beside := s.atTerminal("gdb --version; tr '\\0' ' ' </proc/1/cmdline; ls /epics/support/simstage",
		"shell", "bl82t", ioc, "--debug", "--registry", reg)
	require.Contains(t, beside, "GNU gdb")
	require.Contains(t, beside, "ioc-run /epics/ioc/ioc st.cmd", "it sees the IOC's processes")
	require.Contains(t, beside, "simstageApp", "it has the sources")
	for _, now := range status(t, s, "bl82t").Instances {
		require.True(t, now.Ready, now.Name)
		require.Zero(t, now.Restarts, now.Name)
	}
}

// interrupt runs tagline until a line of its output has the text, and then types Ctrl-C.
func (s *site) interrupt(text string, args ...string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, tagline, args...)
	cmd.Dir = s.dir
	out, err := cmd.StdoutPipe()
	require.NoError(s.t, err)
	require.NoError(s.t, cmd.Start())
	lines, seen := bufio.NewScanner(out), false
	for lines.Scan() {
		s.t.Log(lines.Text())
		if !seen && strings.Contains(lines.Text(), text) {
			seen = true
			require.NoError(s.t, cmd.Process.Signal(syscall.SIGINT))
		}
	}
	require.NoError(s.t, cmd.Wait(), "tagline %s", strings.Join(args, " "))
	require.True(s.t, seen, "tagline %s never wrote %q", strings.Join(args, " "), text)
}

// atTerminal runs tagline at a terminal, types a line and exit there, and returns what it
// shows.
func (s *site) atTerminal(line string, args ...string) string {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "script", "-qec", tagline+" "+strings.Join(args, " "), "/dev/null")
	cmd.Dir = s.dir
	keys, err := cmd.StdinPipe()
	require.NoError(s.t, err)
	_, err = keys.Write([]byte(line + "\nexit\n")) // it is open until the shell has ended
	require.NoError(s.t, err)
	shown, err := cmd.CombinedOutput()
	require.NoError(s.t, err, "%s", shown)
	s.t.Logf("$ tagline %s\n%s", strings.Join(args, " "), shown)
	return string(shown)
}
