package process

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/local/state"
)

// fileDaemon makes a file and then waits; it is ready once the file is there.
func fileDaemon(t *testing.T, words string) Daemon {
	file := filepath.Join(t.TempDir(), "ready")
	return Daemon{
		Name: "waiter",
		Args: []string{"/bin/sh", "-c", "echo " + words + "; touch " + file + "; exec sleep 60"},
		Ready: func(context.Context) error {
			_, err := os.Stat(file)
			return err
		},
	}
}

func startForTest(t *testing.T, s state.Dir, d Daemon) pidRecord {
	t.Helper()
	require.NoError(t, Start(t.Context(), s, d))
	t.Cleanup(func() { _ = Stop(context.Background(), s, d.Name) })
	rec, ok := readRecord(s, d.Name)
	require.True(t, ok)
	return rec
}

func TestStartingTwiceIsHarmless(t *testing.T) {
	s := state.Dir(t.TempDir())
	d := fileDaemon(t, "one")
	first := startForTest(t, s, d)
	assert.Equal(t, first, startForTest(t, s, d))
}

func TestAnotherCommandLineReplacesTheProcess(t *testing.T) {
	s := state.Dir(t.TempDir())
	first := startForTest(t, s, fileDaemon(t, "one"))
	second := startForTest(t, s, fileDaemon(t, "two"))
	assert.NotEqual(t, first.Pid, second.Pid)
	assert.False(t, first.alive())
}

func TestStopEndsTheWholeSession(t *testing.T) {
	s := state.Dir(t.TempDir())
	d := fileDaemon(t, "one")
	child := filepath.Join(t.TempDir(), "child")
	// The child ignores the polite signal, and its parent does not wait for it.
	d.Args[2] = "(trap '' TERM; sh -c 'echo $PPID > " + child + "'; while :; do sleep 1; done) & " + d.Args[2]
	startForTest(t, s, d)
	require.Eventually(t, func() bool {
		b, _ := os.ReadFile(child)
		return len(b) > 0
	}, time.Minute, 10*time.Millisecond)
	b, err := os.ReadFile(child)
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	require.NoError(t, err)
	require.NoError(t, Stop(t.Context(), s, d.Name))
	assert.False(t, Running(s, d.Name))
	assert.Eventually(t, func() bool {
		stat, err := readStat(pid)
		return err != nil || stat.State == "Z" // nobody reaps it in a container
	}, time.Minute, 20*time.Millisecond)
}

func TestAFailedStartShowsItsLog(t *testing.T) {
	s := state.Dir(t.TempDir())
	err := Start(t.Context(), s, Daemon{
		Name:  "broken",
		Args:  []string{"/bin/sh", "-c", "echo cannot open the disk >&2; exit 3"},
		Ready: func(context.Context) error { return errors.New("nobody answers") },
	})
	require.Error(t, err)
	assert.Contains(t, err.Error(), "starting broken: it ended: exit status 3")
	assert.Contains(t, err.Error(), "cannot open the disk")
	assert.Contains(t, err.Error(), s.LogFile("broken"))
	assert.NoFileExists(t, s.PidFile("broken"))
}

func TestAnInterruptedStartLeavesNoProcess(t *testing.T) {
	s := state.Dir(t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	d := fileDaemon(t, "one")
	d.Ready = func(context.Context) error { cancel(); return errors.New("not yet") }
	assert.ErrorIs(t, Start(ctx, s, d), context.Canceled)
	assert.False(t, Running(s, d.Name))
}

func TestPid(t *testing.T) {
	s := state.Dir(t.TempDir())
	_, ok := Pid(s, "waiter")
	assert.False(t, ok)
	rec := startForTest(t, s, fileDaemon(t, "one"))
	pid, ok := Pid(s, "waiter")
	assert.True(t, ok)
	assert.Equal(t, rec.Pid, pid)
}

func TestANumberThatWasGivenToAnotherProcessIsNotOurs(t *testing.T) {
	stat, err := readStat(os.Getpid())
	require.NoError(t, err)
	me := pidRecord{Pid: os.Getpid(), Started: stat.Starttime, Boot: bootID()}
	assert.True(t, me.alive())
	younger, earlier := me, me
	younger.Started++
	earlier.Boot = "another boot"
	assert.False(t, younger.alive())
	assert.False(t, earlier.alive())
}

func TestAPidFileThatIsNoneMeansNotRunning(t *testing.T) {
	for _, text := range []string{"", "17", "{", `{"pid":1,"started":1}`, `{"pid":-5}`} {
		s := state.Dir(t.TempDir())
		require.NoError(t, state.WriteFile(s.PidFile("x"), []byte(text), 0o644))
		assert.False(t, Running(s, "x"), text)
		assert.NoError(t, Stop(t.Context(), s, "x"))
	}
}

func TestTheLogBeforeIsKept(t *testing.T) {
	s := state.Dir(t.TempDir())
	for _, text := range []string{"first", "second", "third"} {
		f, err := openLog(s, "x")
		require.NoError(t, err)
		_, err = f.WriteString(text + "\n1\n2\n")
		require.NoError(t, errors.Join(err, f.Close()))
	}
	for file, want := range map[string]string{
		s.LogFile("x"): "third\n1\n2\n", s.LogFile("x") + ".1": "second\n1\n2\n",
	} {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, want, string(b))
	}
	assert.Equal(t, "last lines of "+s.LogFile("x")+":\n  1\n  2", logTail(s, "x", 2))
	assert.Contains(t, logTail(s, "y", 2), "no log: ")
}

func TestADaemonThatIsNeverReadyIsStopped(t *testing.T) {
	s := state.Dir(t.TempDir())
	d := fileDaemon(t, "warming up")
	begun := d.Ready
	d.Limit = 300 * time.Millisecond
	d.Ready = func(ctx context.Context) error {
		for begun(ctx) != nil { // however long the shell takes: what it said is to be seen
			time.Sleep(10 * time.Millisecond)
		}
		return errors.New("nobody answers")
	}
	err := Start(t.Context(), s, d)
	assert.ErrorContains(t, err, "starting waiter: not ready after 300ms: nobody answers")
	assert.ErrorContains(t, err, "warming up")
	assert.False(t, Running(s, d.Name))
}

func TestAProgramThatIsNotThere(t *testing.T) {
	s := state.Dir(t.TempDir())
	err := Start(t.Context(), s, Daemon{Name: "x", Args: []string{"/nonexistent"}})
	assert.ErrorContains(t, err, "starting x: ")
	assert.ErrorContains(t, err, "no such file")
}

func TestWhatMakesADaemonAnother(t *testing.T) {
	base := Daemon{Name: "x", Args: []string{"a"}, Env: []string{"B=c"}, Private: &Enclosure{Empty: []string{"/run"}}}
	args, env, enclosure := base, base, base
	args.Args = []string{"a", "-v"}
	env.Env = []string{"B=d"}
	enclosure.Private = &Enclosure{Empty: []string{"/run", "/opt"}}
	for _, other := range []Daemon{args, env, enclosure} {
		assert.NotEqual(t, base.spec(), other.spec())
	}
	self := base
	self.Self = []string{"/another/tagline", "serve"}
	assert.Equal(t, base.spec(), self.spec(), "what runs is the same, whichever tagline started it")
}

func TestADaemonHasItsOwnTimeToEnd(t *testing.T) {
	for takes, grace := range map[string]time.Duration{"1": time.Minute, "600": 200 * time.Millisecond} {
		s := state.Dir(t.TempDir())
		// A daemon of its own: the file that says ready comes after the trap, and must not be there before it.
		d := fileDaemon(t, "one")
		d.Grace = grace
		ended := filepath.Join(t.TempDir(), "ended")
		d.Args[2] = "trap 'sleep " + takes + "; touch " + ended + "; exit 0' TERM; " +
			strings.Replace(d.Args[2], "exec sleep 60", "while :; do sleep 0.1; done", 1)
		startForTest(t, s, d)
		require.NoError(t, Stop(t.Context(), s, d.Name))
		_, err := os.Stat(ended)
		assert.Equal(t, takes == "1", err == nil, "%s", grace)
	}
}

func TestADaemonThatWasKilledDied(t *testing.T) {
	s := state.Dir(t.TempDir())
	assert.False(t, Died(s, "waiter"), "it never ran")
	rec := startForTest(t, s, fileDaemon(t, "one"))
	assert.False(t, Died(s, "waiter"), "it runs")
	require.NoError(t, syscall.Kill(rec.Pid, syscall.SIGKILL))
	require.True(t, waitGone(t.Context(), rec, time.Minute))
	assert.True(t, Died(s, "waiter"))
	require.NoError(t, Stop(t.Context(), s, "waiter"))
	assert.False(t, Died(s, "waiter"), "stopping it settles that")
}
