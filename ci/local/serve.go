package local

import (
	"context"
	"fmt"

	"github.com/tagline-ci/tagline/ci/local/process"
	"github.com/tagline-ci/tagline/ci/local/shelf"
	"github.com/tagline-ci/tagline/ci/local/state"
)

// Serve is what `tagline serve` runs: the processes of ours that `tagline up`
// leaves behind. args come from Up; nobody types them.
func Serve(ctx context.Context, args []string) error {
	switch {
	case len(args) > 2 && args[0] == process.VerbEnclosed:
		return process.RunEnclosed(args[1], args[2:])
	case len(args) == 3 && args[0] == shelf.Verb:
		return shelf.Serve(ctx, state.Dir(args[1]), args[2])
	}
	return fmt.Errorf("serve is started by `tagline up` alone; got %q", args)
}
