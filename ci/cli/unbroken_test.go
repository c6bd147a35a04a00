package cli

import (
	"bytes"
	"context"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// shared is a buffer that a command writes to while the test reads it.
type shared struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// Without unbroken, the first of these signals would end the test.
func TestASecondSignalDoesNotStopPuttingBack(t *testing.T) {
	errs := &shared{}
	a := &app{Streams: Streams{Err: errs}}
	err := a.unbroken(t.Context(), "bl01t", func(context.Context) error {
		for i, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGHUP, syscall.SIGINT, syscall.SIGPIPE} {
			require.NoError(t, syscall.Kill(os.Getpid(), s))
			require.Eventually(
				t,
				func() bool { return strings.Count(errs.String(), "\n") >= min(i, 2) },
				time.Minute,
				time.Millisecond,
			)
		}
		return nil
	})
	require.NoError(t, err)
	const says = "tagline: still putting bl01t back, wait for it; " +
		"if this run is killed before that, run: tagline rollback bl01t\n"
	require.Equal(t, strings.Repeat(says, 2), errs.String())
}
