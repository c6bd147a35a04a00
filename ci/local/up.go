package local

import (
	"context"
)

// Options is what Up needs to know. The values of the environment are read by
// the caller.
type Options struct {
	State State
	// RunnerHost is _EXPERIMENTAL_DAGGER_RUNNER_HOST, Kubeconfig is KUBECONFIG:
	// an engine and a cluster that are there already. Empty for none.
	RunnerHost string
	Kubeconfig string
	// Self is the command line that calls Serve in a new process: the path of
	// this program and "serve".
	Self     []string
	Progress Progress
}

// Up starts what the machine lacks and returns how to reach everything. What
// runs already is left alone, so calling it twice is harmless.
func Up(ctx context.Context, o Options) (Env, error) {
	return Env{}, nil
}
