package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
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
	}, 10*time.Second, 10*time.Millisecond)
	b, err := os.ReadFile(child)
	require.NoError(t, err)
	require.NoError(t, Stop(t.Context(), s, d.Name))
	assert.False(t, Running(s, d.Name))
	assert.Eventually(t, func() bool {
		stat, err := os.ReadFile(filepath.Join("/proc", strings.TrimSpace(string(b)), "stat"))
		if err != nil {
			return true
		}
		p, err := parseStat(stat)
		return err == nil && p.state == 'Z' // nobody reaps it in a container
	}, 10*time.Second, 20*time.Millisecond)
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

func TestANumberThatWasGivenToAnotherProcessIsNotOurs(t *testing.T) {
	started, err := startTime(os.Getpid())
	require.NoError(t, err)
	me := pidRecord{Pid: os.Getpid(), Started: started, Boot: bootID()}
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

func TestParseStat(t *testing.T) {
	fields := " S 1 77 66 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 4242 0"
	for _, c := range []struct {
		line string
		want stat
		ok   bool
	}{
		{"77 (sleep)" + fields, stat{'S', 66, 4242}, true},
		{"77 (a) Z 9 (b)" + fields, stat{'S', 66, 4242}, true},
		{"77 sleep" + fields, stat{}, false},
		{"77 (sleep) S 1 77", stat{}, false},
		{"77 (sleep)" + strings.Replace(fields, "66", "x", 1), stat{}, false},
		{"", stat{}, false},
	} {
		got, err := parseStat([]byte(c.line))
		assert.Equal(t, c.ok, err == nil, c.line)
		if c.ok {
			assert.Equal(t, c.want, got, c.line)
		}
	}
}

// FuzzParseStat: whatever a program is called, the fields after its name are
// read; and what is read from any text is what that text says.
func FuzzParseStat(f *testing.F) {
	f.Add("sleep", uint8('S'), 66, uint64(4242))
	f.Add(") Z 1 1 1 (", uint8('R'), 0, uint64(0))
	f.Fuzz(func(t *testing.T, name string, state uint8, session int, started uint64) {
		line := fmt.Sprintf("77 (%s) %c 1 77 %d 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 %d 0", name, 'A'+state%26, session, started)
		got, err := parseStat([]byte(line))
		require.NoError(t, err, line)
		assert.Equal(t, stat{'A' + state%26, session, started}, got, line)

		found, err := parseStat([]byte(name))
		if err == nil {
			assert.Contains(t, name, ")")
			assert.Contains(t, name, fmt.Sprintf(" %c ", found.state))
		}
	})
}

func TestTheLogBeforeIsKept(t *testing.T) {
	s := state.Dir(t.TempDir())
	for _, text := range []string{"first", "second", "third"} {
		f, err := openLog(s, "x")
		require.NoError(t, err)
		_, err = f.WriteString(text + "\n1\n2\n")
		require.NoError(t, errors.Join(err, f.Close()))
	}
	for file, want := range map[string]string{s.LogFile("x"): "third\n1\n2\n", s.LogFile("x") + ".1": "second\n1\n2\n"} {
		b, err := os.ReadFile(file)
		require.NoError(t, err)
		assert.Equal(t, want, string(b))
	}
	assert.Equal(t, "last lines of "+s.LogFile("x")+":\n  1\n  2", logTail(s, "x", 2))
	assert.Contains(t, logTail(s, "y", 2), "no log: ")
}

func TestADaemonThatIsNeverReadyIsStopped(t *testing.T) {
	s := state.Dir(t.TempDir())
	err := Start(t.Context(), s, Daemon{
		Name: "slow", Args: []string{"/bin/sh", "-c", "echo warming up; exec sleep 60"}, Limit: 300 * time.Millisecond,
		Ready: func(context.Context) error { return errors.New("nobody answers") },
	})
	assert.ErrorContains(t, err, "starting slow: not ready after 300ms: nobody answers")
	assert.ErrorContains(t, err, "warming up")
	assert.False(t, Running(s, "slow"))
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
