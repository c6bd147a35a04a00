package cli

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

// change runs work that changes a beamline, shows its steps, and sees it through.
func (a *app) change(ctx context.Context, beamline string, work func(context.Context) error) error {
	return a.unbroken(ctx, beamline, func(ctx context.Context) error { return a.steps(ctx, work) })
}

// unbroken runs work that changes a beamline. The first signal ends ctx, and
// work then puts the beamline back; a second one, which CI systems send some
// seconds later, must not stop that half way. It only shows what finishes the
// change if this process is killed. A closed pipe must not end it either.
func (a *app) unbroken(ctx context.Context, beamline string, work func(context.Context) error) error {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	ended := make(chan struct{})
	defer func() { signal.Stop(signals); close(ended) }()
	go func() {
		for count := 0; ; {
			select {
			case <-ended:
				return
			case s := <-signals:
				if s == syscall.SIGPIPE {
					continue
				}
				if count++; count > 1 {
					fmt.Fprintf(
						a.Err,
						"tagline: still putting %s back, wait for it; "+
							"if this run is killed before that, run: tagline rollback %s\n",
						beamline,
						beamline,
					)
				}
			}
		}
	}()
	return work(ctx)
}
