package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	"golang.org/x/term"
	"k8s.io/client-go/tools/remotecommand"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/legible"
	"github.com/tagline-ci/tagline/pipelines/operate"
	"github.com/tagline-ci/tagline/pipelines/pods"
)

// newConsole is `tagline console`.
func newConsole(a *app) *cobra.Command {
	b := &beamlineCluster{}
	cmd := a.takes(&cobra.Command{
		Use:         "console BEAMLINE INSTANCE",
		Annotations: only("text"),
		Short:       "Join the shell of a running IOC",
		Long: "Joins the shell of a running IOC, and shows what it wrote last. Several people may be\n" +
			"in it: each sees what the others type, and who they are. Ctrl-] leaves it. Ctrl-C, Ctrl-D,\n" +
			"Ctrl-\\ and Ctrl-Z are not passed on, because they would stop the IOC; typing exit does\n" +
			"stop it, and the cluster then starts it again.",
		Example: "  tagline console bl01t bl01t-mo-ioc-01",
		RunE: func(cmd *cobra.Command, given []string) error {
			keyboard, err := a.keyboard("joining the IOC shell of", given[1])
			if err != nil {
				return err
			}
			n, _, err := a.openKnown(cmd.Context(), b, given[0])
			if err != nil {
				return err
			}
			s, err := pods.Instance(cmd.Context(), n, given[1])
			if err != nil {
				return err
			}
			fmt.Fprintf(a.Err, "The shell of %s on %s. Ctrl-] leaves it.\n", s.Instance, s.Node)
			a.lastScreen(cmd.Context(), n, s, keyboard)
			defer operate.Attend(cmd.Context(), n, s.Instance, a.holder(), a.aside)()
			return a.raw(cmd.Context(), keyboard, func(sizes remotecommand.TerminalSizeQueue) error {
				return pods.Console(cmd.Context(), n, s, keyboard, a.Out, sizes)
			})
		},
	}, beamlineArg, instanceArg)
	b.flags(cmd)
	return cmd
}

// aside writes a line of Tagline's own into a terminal that passes on every key.
func (a *app) aside(line string) { fmt.Fprintf(a.Err, "\r\n[%s]\r\n", legible.Text(line)) }

// lastScreen shows as many of the last lines that an IOC wrote as the terminal has room
// for: whoever joins sees what the others see.
func (a *app) lastScreen(ctx context.Context, n *cluster.Namespace, s pods.State, terminal *os.File) {
	_, height, err := term.GetSize(int(terminal.Fd()))
	if err != nil || height < 4 {
		return
	}
	o := pods.LogOptions{Lines: int64(height - 2)}
	err = pods.Logs(ctx, n, []pods.State{s}, o, func(_, text string) { fmt.Fprintln(a.Out, coloured(text)) })
	if err != nil {
		fmt.Fprintf(a.Err, "What it wrote last is not shown: %v\n", err)
	}
}

// keyboard returns stdin where it is a terminal.
func (a *app) keyboard(doing, instance string) (*os.File, error) {
	f, ok := a.In.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return nil, &diag.Error{
			Kind: diag.Invalid, Doing: doing, Asset: instance, Err: errors.New("this is no terminal"),
			Fix: "run it from a terminal, or use tagline logs",
		}
	}
	return f, nil
}

// raw makes the terminal pass on every key while work runs, and restores it.
func (a *app) raw(ctx context.Context, keyboard *os.File, work func(remotecommand.TerminalSizeQueue) error) error {
	was, err := term.MakeRaw(int(keyboard.Fd()))
	if err != nil {
		return err
	}
	defer func() {
		_ = term.Restore(int(keyboard.Fd()), was)
		fmt.Fprintln(a.Err)
	}()
	return work(newSizes(ctx, keyboard))
}

// sizes reports the size of a terminal, at once and whenever it changes.
type sizes struct {
	ctx     context.Context
	f       *os.File
	changes chan os.Signal
}

func newSizes(ctx context.Context, f *os.File) *sizes {
	s := &sizes{ctx: ctx, f: f, changes: make(chan os.Signal, 1)}
	s.changes <- syscall.SIGWINCH
	signal.Notify(s.changes, syscall.SIGWINCH)
	return s
}

// Next waits for the next size. It returns nil when the console has ended.
func (s *sizes) Next() *remotecommand.TerminalSize {
	select {
	case <-s.ctx.Done():
		return nil
	case <-s.changes:
	}
	w, h, err := term.GetSize(int(s.f.Fd()))
	if err != nil {
		return nil
	}
	return &remotecommand.TerminalSize{Width: uint16(w), Height: uint16(h)}
}
