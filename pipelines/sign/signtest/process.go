package signtest

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// build returns the path of one of Sigstore's programs, built from its own source
// and kept in Go's build cache.
func build(t testing.TB, name string) string {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	cmd := exec.Command(
		"go",
		"tool",
		"-C",
		filepath.Join(filepath.Dir(here), "..", "testdata", "sigstore"),
		"-n",
		name,
	)
	cmd.Env = append(cmd.Environ(), "CGO_ENABLED=0")
	var output bytes.Buffer
	cmd.Stderr = &output
	path, err := cmd.Output()
	require.NoError(t, err, "building %s: %s", name, &output)
	return strings.TrimSpace(string(path))
}

// start runs a program until the test ends, and comes back when ready answers.
func start(t testing.TB, ready, name string, args ...string) {
	t.Helper()
	var output log
	cmd := exec.Command(build(t, name), args...)
	cmd.Stdout, cmd.Stderr, cmd.Dir = &output, &output, t.TempDir()
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	require.NoError(t, cmd.Start())
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		cmd.Process.Kill()
		<-ended
	})
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if answer, err := http.Get(ready); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v\n%s", name, err, &output)
		default:
			require.False(t, time.Now().After(deadline), "%s does not answer at %s\n%s", name, ready, &output)
		}
	}
}

// log keeps what a program says.
type log struct {
	sync.Mutex
	bytes.Buffer
}

// Write adds to what was said.
func (l *log) Write(b []byte) (int, error) {
	l.Lock()
	defer l.Unlock()
	return l.Buffer.Write(b)
}

// String returns what was said.
func (l *log) String() string {
	l.Lock()
	defer l.Unlock()
	return l.Buffer.String()
}

// port returns a port of an address that nobody listens on.
func port(t testing.TB, host string) string {
	l, err := net.Listen("tcp", host+":0")
	require.NoError(t, err)
	defer l.Close()
	return fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
}

// get returns what an address answers.
func get(t testing.TB, address string) []byte {
	answer, err := http.Get(address)
	require.NoError(t, err)
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode, "%s", b)
	return b
}
