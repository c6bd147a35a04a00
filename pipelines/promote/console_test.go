package promote_test

import (
	"bufio"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/pods"
)

// oneSize is a terminal that never changes.
type oneSize chan remotecommand.TerminalSize

func (s oneSize) Next() *remotecommand.TerminalSize {
	size, ok := <-s
	if !ok {
		return nil
	}
	return &size
}

func TestLogsAndConsole(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.promote(w.release("2026.1.1", map[string]string{"a": answers}))
	_, err := pods.Instance(t.Context(), w.cluster, "b")
	require.ErrorContains(t, err, w.line+" has no such IOC in namespace "+w.namespace+"; name one of: a")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	s, err := pods.Instance(t.Context(), w.cluster, "a")
	require.NoError(t, err)

	var log strings.Builder
	require.NoError(t, pods.Logs(
		t.Context(), w.cluster, []pods.State{s}, pods.LogOptions{Lines: 1},
		func(_, text string) { log.WriteString(text) },
	))
	require.Contains(t, log.String(), "All initialization complete")
	require.NotContains(t, log.String(), "running st.cmd")

	person, keys := io.Pipe()
	screen, shown := io.Pipe()
	sizes := make(oneSize, 1)
	sizes <- remotecommand.TerminalSize{Width: 80, Height: 24}
	close(sizes)
	ended := make(chan error, 1)
	go func() { ended <- pods.Console(t.Context(), w.cluster, s, person, shown, sizes) }()
	_, err = keys.Write([]byte("\x03\x04dbl\r"))
	require.NoError(t, err)
	line, err := bufio.NewReader(screen).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "dbl\r\n", line, "the IOC's terminal echoes what is typed")
	_, err = keys.Write([]byte{pods.LeaveKey})
	require.NoError(t, err)
	select {
	case err := <-ended:
		require.NoError(t, err)
	case <-time.After(time.Minute):
		t.Fatal("the console did not end")
	}
	require.Equal(t, s.UID, w.status("2026.1.1")["a"].UID)
}
