package local

import (
	"context"

	"golang.org/x/sync/errgroup"
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
	var env Env
	ports, err := startShelf(ctx, o)
	if err != nil {
		return env, err
	}
	env.Registry = ports.registryAddress()
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		_, err := ensureBaseImage(ctx, o, ports)
		return err
	})
	g.Go(func() error {
		bin, err := upEngine(ctx, o, ports)
		env.RunnerHost, env.CLIBin = engineAddress(o.State), bin+"/dagger"
		return err
	})
	if err := g.Wait(); err != nil {
		return env, err
	}
	return env, o.State.writeEnv(env)
}

// upEngine builds and starts the engine; the image for Go modules is prepared
// while its programs are compiled.
func upEngine(ctx context.Context, o Options, ports shelfPorts) (string, error) {
	if err := ensurePackages(ctx, o.Progress, enginePackages...); err != nil {
		return "", err
	}
	var bin, rootfs string
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		bin, err = buildLeaf(gctx, o.State, o.Progress, daggerLeaf)
		return err
	})
	g.Go(func() (err error) {
		rootfs, err = ensureRootfs(gctx, o, "go-sdk", sdkPackages...)
		return err
	})
	if err := g.Wait(); err != nil {
		return "", err
	}
	sdk, err := ensureSDK(ctx, o, bin, rootfs)
	if err != nil {
		return "", err
	}
	return bin, startEngine(ctx, o, engine{Bin: bin, SDK: sdk, Ports: ports, HubOut: true})
}
