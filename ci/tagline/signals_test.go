package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// asCommand is set where this test's binary is to be the command itself.
const asCommand = "TAGLINE_TEST_IS_THE_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// command is a command line that runs in a process of its own, in an empty folder.
type command struct {
	*exec.Cmd
	errs bytes.Buffer
}

func tagline(t *testing.T, words ...string) *command {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	c := &command{Cmd: exec.CommandContext(t.Context(), self, words...)}
	c.Dir, c.Env, c.Stderr = t.TempDir(), []string{asCommand + "=1"}, &c.errs
	return c
}

// ended waits for the end of a command, and returns how it ended.
func (c *command) ended() syscall.WaitStatus {
	_ = c.Wait()
	return c.ProcessState.Sys().(syscall.WaitStatus)
}

// TestInterrupted: a signal ends a command that waits for a server, and it says how to go on.
func TestInterrupted(t *testing.T) {
	asked := make(chan struct{}, 1)
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case asked <- struct{}{}:
		default:
		}
		<-r.Context().Done()
	}))
	t.Cleanup(silent.Close)
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		t.Run(signal.String(), func(t *testing.T) {
			c := tagline(t, "record", "bl01t/1.0.0", "--registry", strings.TrimPrefix(silent.URL, "http://"))
			require.NoError(t, c.Start())
			<-asked
			require.NoError(t, c.Process.Signal(signal))
			require.Equal(t, 1, c.ended().ExitStatus(), c.errs.String())
			require.Equal(t, "tagline: interrupted; run the same command again to go on\n", c.errs.String())
		})
	}
}

// TestInterruptedWhileItReads: likewise a command that waits for somebody to write.
func TestInterruptedWhileItReads(t *testing.T) {
	for _, words := range []string{
		"record bl01t/1.0.0 --registry 127.0.0.1:1 --username ada --password-stdin", "tag check -", "tag sort -",
	} {
		t.Run(words, func(t *testing.T) {
			c := tagline(t, strings.Fields(words)...)
			stdin, err := c.StdinPipe()
			require.NoError(t, err)
			require.NoError(t, c.Start())
			// More than a pipe holds: it reads once this is written.
			_, err = stdin.Write(bytes.Repeat([]byte("1.0.0\n"), 1<<15))
			require.NoError(t, err)
			require.NoError(t, c.Process.Signal(os.Interrupt))
			require.Equal(t, 1, c.ended().ExitStatus(), c.errs.String())
			require.Equal(t, "tagline: interrupted; run the same command again to go on\n", c.errs.String())
		})
	}
}

// TestInterruptedAgain: a command that does not heed the first signal ends by the next.
func TestInterruptedAgain(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	c := tagline(t, "policy", "apply", "bl01t", pipe)
	require.NoError(t, c.Start())
	open, err := os.OpenFile(pipe, os.O_WRONLY, 0) // which waits until somebody reads
	require.NoError(t, err)
	defer open.Close()
	ended := make(chan syscall.WaitStatus, 1)
	go func() { ended <- c.ended() }()
	var how syscall.WaitStatus
	require.Eventually(t, func() bool {
		_ = c.Process.Signal(syscall.SIGTERM) // a shell lets what it runs beside itself ignore Ctrl-C
		select {
		case how = <-ended:
			return true
		default:
			return false
		}
	}, time.Minute, 10*time.Millisecond)
	require.True(t, how.Signaled(), c.errs.String())
	require.Equal(t, syscall.SIGTERM, how.Signal())
}

// TestTheReaderIsGone: a command whose reader has enough ends as others do, and says nothing.
func TestTheReaderIsGone(t *testing.T) {
	for _, words := range []string{"version", "version --output json", "tag hook", "help promote"} {
		t.Run(words, func(t *testing.T) {
			reader, writer, err := os.Pipe()
			require.NoError(t, err)
			require.NoError(t, reader.Close())
			c := tagline(t, strings.Fields(words)...)
			c.Stdout = writer
			require.NoError(t, c.Start())
			require.NoError(t, writer.Close())
			how := c.ended()
			require.True(t, how.Signaled(), c.errs.String())
			require.Equal(t, syscall.SIGPIPE, how.Signal())
			require.Empty(t, c.errs.String())
		})
	}
}
