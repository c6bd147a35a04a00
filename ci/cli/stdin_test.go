package cli

import (
	"context"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Ctrl-C ends a command that waits for stdin, where nobody writes.
func TestStdinEndsWithTheCommand(t *testing.T) {
	silent, typed, err := os.Pipe()
	require.NoError(t, err)
	defer typed.Close() // which ends what still reads
	ctx, cancel := context.WithCancel(t.Context())
	a := &app{Streams: Streams{In: silent}}
	ended := make(chan error)
	go func() {
		_, err := lines(a.stdin(ctx))
		ended <- err
	}()
	cancel()
	require.ErrorIs(t, <-ended, context.Canceled)
}

// What is written there is read whole, however small the parts are.
func TestStdinIsReadWhole(t *testing.T) {
	parts := io.MultiReader(strings.NewReader("1.0.0\n"), strings.NewReader("\n 1.0."), strings.NewReader("1"))
	a := &app{Streams: Streams{In: parts}}
	list, err := lines(a.stdin(t.Context()))
	require.NoError(t, err)
	require.Equal(t, []string{"1.0.0", "1.0.1"}, list)
}
