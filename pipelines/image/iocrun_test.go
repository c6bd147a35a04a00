package image

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// buildIOCRun compiles ioc-run with a client that needs no EPICS Base.
func buildIOCRun(t *testing.T) string {
	t.Helper()
	return compile(
		t, "iocrun/main.cpp", "iocrun/supervisor.cpp", "iocrun/terminal.cpp", "iocrun/settings.cpp",
		"testdata/iocrun/probe.cpp",
	)
}

// supervised is an IOC that ioc-run has started.
type supervised struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.WriteCloser
	dir   string
	mu    sync.Mutex
	text  bytes.Buffer
}

func (s *supervised) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *supervised) log() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// supervise starts an IOC with files in its folder, of which st.cmd is its
// start-up script, and an environment.
func supervise(t *testing.T, program string, files map[string]string, env ...string) *supervised {
	t.Helper()
	s := &supervised{t: t, dir: t.TempDir()}
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o644))
	}
	ioc, err := filepath.Abs("testdata/iocrun/ioc.sh")
	require.NoError(t, err)
	s.cmd = exec.CommandContext(t.Context(), program, "sh", ioc, "./st.cmd")
	s.cmd.Dir, s.cmd.Stdout, s.cmd.Stderr = s.dir, s, s
	s.cmd.Env = append(os.Environ(), append(env, "IOC_RUN_STATE="+s.dir+"/state")...)
	s.stdin, err = s.cmd.StdinPipe()
	require.NoError(t, err)
	require.NoError(t, s.cmd.Start())
	return s
}

// says waits until the log has a text.
func (s *supervised) says(text string) {
	s.t.Helper()
	printed := func() bool { return strings.Contains(s.log(), text) }
	require.Eventually(s.t, printed, time.Minute, 20*time.Millisecond, text)
}

func (s *supervised) types(keys string) {
	s.t.Helper()
	_, err := io.WriteString(s.stdin, keys)
	require.NoError(s.t, err)
}

// ends waits for the end and returns the exit status.
func (s *supervised) ends() int {
	s.t.Helper()
	s.cmd.Wait()
	return s.cmd.ProcessState.ExitCode()
}

func TestIOCRun(t *testing.T) {
	program := buildIOCRun(t)
	const started = "ioc-run: the start-up script has ended"
	t.Run("what is typed reaches the IOC, but for what would stop it", func(t *testing.T) {
		t.Parallel()
		s := supervise(t, program, map[string]string{"st.cmd": "echo starting\n", "stop.cmd": "echo stop.cmd ran\n"})
		s.says(started)
		s.types("echo a\x03\x04b\x1a\x1cc\n")
		s.says("abc")
		require.NoError(t, s.stdin.Close())
		require.NoError(t, s.cmd.Process.Signal(syscall.SIGINT))
		require.NoError(t, s.cmd.Process.Signal(syscall.SIGHUP))
		time.Sleep(300 * time.Millisecond) // for what must not happen
		require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
		require.Zero(t, s.ends())
		require.Contains(t, s.log(), "stop.cmd ran")
		require.NotContains(t, s.log(), "end of input")
	})
	t.Run("children that nobody waits for are reaped", func(t *testing.T) {
		t.Parallel()
		s := supervise(t, program, map[string]string{"st.cmd": "(sh -c 'sleep 0.2 & echo orphan $!')\n"})
		s.says(started)
		_, rest, _ := strings.Cut(s.log(), "orphan ")
		orphan := "/proc/" + strings.Fields(rest)[0]
		reaped := func() bool { _, err := os.Stat(orphan); return err != nil }
		require.Eventually(t, reaped, time.Minute, 20*time.Millisecond)
		s.types("exit 3\n")
		require.Equal(t, 3, s.ends(), "the IOC's own status")
	})
	t.Run("an IOC that takes more than can be printed at once is stopped all the same", func(t *testing.T) {
		t.Parallel()
		s := supervise(t, program, map[string]string{"st.cmd": "(while :; do echo chatter; done) &\n"})
		s.says(started)
		require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
		require.Zero(t, s.ends())
	})
	t.Run("a shell that does not read gets SIGTERM", func(t *testing.T) {
		t.Parallel()
		s := supervise(t, program, map[string]string{"st.cmd": ""}, "IOC_RUN_GRACE=20")
		s.says(started)
		s.types("echo busy; while :; do sleep 0.1; done\n")
		s.says("busy\n")
		require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
		require.Zero(t, s.ends())
		require.Contains(t, s.log(), "ioc-run: the IOC shell does not read; sending SIGTERM to the IOC")
	})
	t.Run("an IOC that hangs is killed, and said to be", func(t *testing.T) {
		t.Parallel()
		s := supervise(t, program, map[string]string{"st.cmd": "trap '' TERM\n"}, "IOC_RUN_GRACE=2")
		s.says(started)
		s.types("echo hangs; while :; do sleep 0.1; done\n")
		s.says("hangs\n")
		require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
		require.Equal(t, 137, s.ends())
		require.Contains(t, s.log(), "ioc-run: the IOC did not stop within 2 s; killing it")
	})
	t.Run("a script that does not end", func(t *testing.T) {
		t.Parallel()
		s := supervise(t, program, map[string]string{"st.cmd": "while :; do sleep 0.1; done\n"}, "IOC_RUN_WITHIN=1s")
		require.Equal(t, 1, s.ends())
		require.Contains(t, s.log(), "ioc-run: the start-up script has not ended within 1 s; ending the IOC")
	})
}

// What ioc-run makes of a probe PV: an IOC that answers no more is ended, and one that
// is slow to answer is left alone.
func TestIOCRunWatchesItsPV(t *testing.T) {
	program := buildIOCRun(t)
	const started = "ioc-run: the start-up script has ended"
	t.Run("one that never answers", func(t *testing.T) {
		t.Parallel()
		s := supervise(t, program, map[string]string{"st.cmd": ""}, "IOC_RUN_WITHIN=10s", "IOC_RUN_PV=X")
		s.says(started)
		require.False(t, s.ready(program))
		require.Equal(t, 1, s.ends())
		require.Contains(
			t, s.log(), "ioc-run: the probe PV X has not answered within 10 s of the start; ending the IOC",
		)
	})
	t.Run("one that answers no more", func(t *testing.T) {
		t.Parallel()
		s := supervise(t, program, map[string]string{"st.cmd": "", "answers": ""}, "IOC_RUN_PV=X", "IOC_RUN_SILENCE=1s")
		s.says("ioc-run: the probe PV X answers")
		require.True(t, s.ready(program))
		require.NoError(t, os.Remove(filepath.Join(s.dir, "answers")))
		require.Equal(t, 1, s.ends())
		require.Contains(t, s.log(), "ioc-run: the probe PV X has not answered for 1 s; ending the IOC")
	})
	t.Run("one that answers and changes no more", func(t *testing.T) {
		t.Parallel()
		s := supervise(
			t, program, map[string]string{"st.cmd": "", "answers": ""}, "IOC_RUN_PV=X", "IOC_RUN_SILENCE=1s",
			"IOC_RUN_ADVANCES=yes",
		)
		require.Equal(t, 1, s.ends())
		require.Contains(t, s.log(), "ioc-run: the probe PV X has not changed for 1 s; ending the IOC")
	})
	t.Run("one that is silent for a while", func(t *testing.T) {
		t.Parallel()
		s := supervise(t, program, map[string]string{"st.cmd": "", "answers": ""}, "IOC_RUN_PV=X", "IOC_RUN_SILENCE=15s")
		s.says("ioc-run: the probe PV X answers")
		require.NoError(t, os.Remove(filepath.Join(s.dir, "answers")))
		time.Sleep(11 * time.Second) // in which it is asked once
		require.NoError(t, os.WriteFile(filepath.Join(s.dir, "answers"), nil, 0o644))
		time.Sleep(11 * time.Second)
		s.types("exit 3\n")
		require.Equal(t, 3, s.ends(), "the IOC was ended")
	})
}

// A pod has a terminal: what is typed there, by kubectl attach too, ends no IOC, and
// neither does the end of the terminal.
func TestIOCRunAtATerminal(t *testing.T) {
	program := buildIOCRun(t)
	dir := t.TempDir()
	for name, text := range map[string]string{"st.cmd": "echo starting\n", "stop.cmd": "echo stop.cmd ran\n"} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	ioc, err := filepath.Abs("testdata/iocrun/ioc.sh")
	require.NoError(t, err)
	master, slave := terminal(t)
	s := &supervised{t: t, dir: dir, stdin: master}
	s.cmd = exec.CommandContext(t.Context(), program, "sh", ioc, "./st.cmd")
	s.cmd.Dir, s.cmd.Stdin, s.cmd.Stdout, s.cmd.Stderr = dir, slave, s, s
	s.cmd.Env = append(os.Environ(), "IOC_RUN_STATE="+dir+"/state")
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	require.NoError(t, s.cmd.Start())
	require.NoError(t, slave.Close())
	s.says("ioc-run: the start-up script has ended")
	s.types("echo a\x03\x04b\x1a\x1cc\n")
	s.says("abc")
	require.NoError(t, master.Close()) // the terminal hangs up
	time.Sleep(300 * time.Millisecond) // for what must not happen
	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	require.Zero(t, s.ends())
	require.Contains(t, s.log(), "stop.cmd ran")
	require.NotContains(t, s.log(), "end of input")
}

// terminal opens a terminal and both its ends.
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	require.NoError(t, unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	require.NoError(t, err)
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	require.NoError(t, err)
	return master, slave
}

// Whoever asks whether an IOC is ready is kept until it is.
func TestWaitUntilReady(t *testing.T) {
	program := buildIOCRun(t)
	s := supervise(t, program, map[string]string{"st.cmd": ""}, "IOC_RUN_PV=X")
	s.says("ioc-run: the start-up script has ended")
	ready := make(chan bool)
	go func() { ready <- s.ready(program) }()
	time.Sleep(time.Second) // for an answer that must not come yet
	require.NoError(t, os.WriteFile(filepath.Join(s.dir, "answers"), nil, 0o644))
	require.True(t, <-ready)
}

// ready asks as Kubernetes does.
func (s *supervised) ready(program string) bool {
	ask := exec.CommandContext(s.t.Context(), program, "--ready")
	ask.Env = s.cmd.Env
	return ask.Run() == nil
}
