package pods

import (
	"context"
	"errors"
	"io"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

// LeaveKey is the key that leaves a console: Ctrl-], as in telnet. The usual
// keys of containers, Ctrl-P Ctrl-Q, are the IOC shell's own.
const LeaveKey = 0x1d

// dropped are keys that would stop the IOC: Ctrl-C, Ctrl-D, Ctrl-\ and Ctrl-Z.
var dropped = []byte{0x03, 0x04, 0x1c, 0x1a}

// errLeft ends a console that the person left.
var errLeft = errors.New("left the console")

// Console joins the terminal of an IOC shell until LeaveKey is read from in, or
// ctx ends. Keys that would stop the IOC are not passed on. sizes yields the size
// of the person's terminal.
func Console(
	ctx context.Context,
	n *cluster.Namespace,
	s State,
	in io.Reader,
	out io.Writer,
	sizes remotecommand.TerminalSizeQueue,
) error {
	address := subresource(
		n,
		s.Pod,
		"attach",
		&corev1.PodAttachOptions{Container: s.Container, Stdin: true, Stdout: true, TTY: true},
	)
	stream, err := executor(n, address)
	if err != nil {
		return cluster.Broken("joining the IOC shell of "+s.Instance, err)
	}
	ctx, leave := context.WithCancelCause(ctx)
	defer leave(nil)
	keys := &keyboard{in: in, leave: func() { leave(errLeft) }}
	err = stream.StreamWithContext(
		ctx,
		remotecommand.StreamOptions{Stdin: keys, Stdout: out, Tty: true, TerminalSizeQueue: sizes},
	)
	if err == nil || errors.Is(context.Cause(ctx), errLeft) {
		return nil
	}
	return cluster.Broken("joining the IOC shell of "+s.Instance, err)
}

// keyboard passes on what a person types, except keys that would stop the IOC.
type keyboard struct {
	in    io.Reader
	leave func()
}

// Read returns the next keys; io.EOF after LeaveKey.
func (k *keyboard) Read(p []byte) (int, error) {
	for {
		n, err := k.in.Read(p)
		keys := p[:n]
		if i := slices.Index(keys, LeaveKey); i >= 0 {
			k.leave()
			return len(without(keys[:i])), io.EOF
		}
		if kept := without(keys); len(kept) > 0 || err != nil {
			return len(kept), err
		}
	}
}

func without(keys []byte) []byte {
	return slices.DeleteFunc(keys, func(key byte) bool { return slices.Contains(dropped, key) })
}
