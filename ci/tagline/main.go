// Command tagline takes a git tag to a beamline.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/tagline-ci/tagline/ci/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	// After the first signal the default is back, so a second Ctrl-C ends at once,
	// but for commands that change a beamline.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Main(ctx, cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}, os.Getenv, os.Args[1:]))
}
