package cli

import (
	"context"
	"errors"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"k8s.io/client-go/tools/remotecommand"
)

// echoes reports whether a terminal shows what is typed, as it does for a person's shell.
func echoes(t *testing.T, terminal *os.File) bool {
	t.Helper()
	mode, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
	require.NoError(t, err)
	return mode.Lflag&unix.ECHO != 0
}

// While somebody is in an IOC shell every key goes there, Ctrl-C too; afterwards the
// terminal is as it was, however that ended.
func TestTheTerminalIsRestored(t *testing.T) {
	a, _ := atTerminal(t, "")
	keyboard, err := a.keyboard("joining", "bl01t-a")
	require.NoError(t, err)
	require.True(t, echoes(t, keyboard))
	lost := errors.New("the pod is gone")
	err = a.raw(t.Context(), keyboard, func(remotecommand.TerminalSizeQueue) error {
		mode, err := unix.IoctlGetTermios(int(keyboard.Fd()), unix.TCGETS)
		require.NoError(t, err)
		require.Zero(t, mode.Lflag&unix.ISIG, "Ctrl-C ends no program here")
		require.False(t, echoes(t, keyboard))
		return lost
	})
	require.ErrorIs(t, err, lost)
	require.True(t, echoes(t, keyboard))
}

// The shell in the pod has the size of the person's terminal, and follows it.
func TestTheShellHasTheTerminalsSize(t *testing.T) {
	a, _ := atTerminal(t, "")
	keyboard, err := a.keyboard("joining", "bl01t-a")
	require.NoError(t, err)
	resize := func(width, height uint16) {
		require.NoError(t, unix.IoctlSetWinsize(
			int(keyboard.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Col: width, Row: height},
		))
	}
	ctx, cancel := context.WithCancel(t.Context())
	resize(80, 24)
	sizes := newSizes(ctx, keyboard)
	require.Equal(t, &remotecommand.TerminalSize{Width: 80, Height: 24}, sizes.Next())
	resize(132, 50)
	require.NoError(t, syscall.Kill(os.Getpid(), syscall.SIGWINCH)) // the kernel's, for who has this terminal
	require.Equal(t, &remotecommand.TerminalSize{Width: 132, Height: 50}, sizes.Next())
	cancel()
	require.Nil(t, sizes.Next())
}
