package local

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"
)

// Options is what Up needs to know. The values of the environment are read by
// the caller.
type Options struct {
	State State
	// RunnerHost is _EXPERIMENTAL_DAGGER_RUNNER_HOST, Kubeconfig is KUBECONFIG:
	// an engine and a cluster that are there already. Empty for none.
	// DockerHost is DOCKER_HOST; empty for Docker's usual socket.
	RunnerHost string
	Kubeconfig string
	DockerHost string
	// Self is the command line that calls Serve in a new process: the path of
	// this program and "serve".
	Self     []string
	Progress Progress
}

// Up starts what the machine lacks and returns how to reach everything. What
// runs already is left alone, so calling it twice is harmless; what a killed
// run left is taken up again.
func Up(ctx context.Context, o Options) (Env, error) {
	unlock, err := o.State.lock(ctx, o.Progress)
	if err != nil {
		return Env{}, err
	}
	defer unlock()
	if err := o.State.removeTemp(ctx); err != nil {
		return Env{}, err
	}
	chosen, err := choose(ctx, o)
	if err != nil {
		return Env{}, err
	}
	ports, err := startShelf(ctx, o, chosen.Gateway)
	if err != nil {
		return Env{}, err
	}
	env := Env{Registry: ports.registryAddress()}
	var engine, base, sources, cluster Part
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { engine, err = upEngine(ctx, o, ports, chosen, &env); return err })
	g.Go(func() (err error) { base, err = upBaseImage(ctx, o, ports, chosen); return err })
	g.Go(func() (err error) { sources, err = upSources(ctx, o, ports, chosen, &env); return err })
	g.Go(func() (err error) { cluster, err = upCluster(ctx, o, chosen, &env); return err })
	if err := g.Wait(); err != nil {
		return Env{}, err
	}
	registry := Part{"registry", standIn, "images and charts survive a restart; plain HTTP", env.Registry}
	env.Parts = []Part{engine, registry, base, sources, cluster}
	return env, o.State.writeEnv(env)
}

// upEngine sets the Env's RunnerHost and CLIBin.
func upEngine(ctx context.Context, o Options, ports shelfPorts, c choice, env *Env) (Part, error) {
	env.RunnerHost = c.Engine.Address
	if c.Engine.Choice == inDocker {
		if err := startInDocker(ctx, o, ports, c); err != nil {
			return Part{}, err
		}
	}
	if c.Engine.Choice != standIn {
		if reach(ctx, daggerCLI, 200, 403, 404) == nil {
			return c.Engine, nil // the SDK fetches the command that fits it
		}
		bin, err := buildLeaf(ctx, o.State, o.Progress, daggerLeaf)
		env.CLIBin = filepath.Join(bin, "dagger")
		return c.Engine, err
	}
	if err := needRoot("starting the engine", "name a running engine in _EXPERIMENTAL_DAGGER_RUNNER_HOST"); err != nil {
		return Part{}, err
	}
	if err := ensurePackages(ctx, o.Progress, enginePackages...); err != nil {
		return Part{}, err
	}
	e, err := makeEngine(ctx, o)
	if err != nil {
		return Part{}, err
	}
	e.Ports, e.HubOut = ports, c.Hub != nil
	env.CLIBin = filepath.Join(e.Bin, "dagger")
	return c.Engine, startEngine(ctx, o, e)
}

// makeEngine builds the engine; what the image for Go modules needs of Debian
// is installed while its programs are compiled.
func makeEngine(ctx context.Context, o Options) (engine, error) {
	var bin, rootfs string
	g, gctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { bin, err = buildLeaf(gctx, o.State, o.Progress, daggerLeaf); return err })
	g.Go(func() (err error) { rootfs, err = ensureRootfs(gctx, o, "go-sdk", sdkPackages...); return err })
	if err := g.Wait(); err != nil {
		return engine{}, err
	}
	sdk, err := ensureSDK(ctx, o, bin, rootfs)
	return engine{Bin: bin, SDK: sdk}, err
}

func upBaseImage(ctx context.Context, o Options, ports shelfPorts, c choice) (Part, error) {
	if c.Hub == nil {
		return Part{"base image", "Docker Hub", "it answers", "docker.io/" + baseImage}, nil
	}
	ref, err := ensureBaseImage(ctx, o, ports)
	return Part{"base image", standIn, "Docker Hub is out of reach (" + c.Hub.Error() + ")", ref}, err
}

// upSources sets the Env's Mirrors.
func upSources(ctx context.Context, o Options, ports shelfPorts, c choice, env *Env) (Part, error) {
	if c.GitHub == nil {
		return Part{"sources", "GitHub", "it answers", "https://github.com/"}, nil
	}
	env.Mirrors = map[string]string{"https://github.com/": ports.mirrorURL() + "github.com/"}
	_, err := ensureSource(ctx, o, epicsBase)
	return Part{"sources", standIn, "GitHub is out of reach (" + c.GitHub.Error() + ")", ports.mirrorURL()}, err
}

// upCluster sets the Env's Kubeconfig.
func upCluster(ctx context.Context, o Options, c choice, env *Env) (part Part, err error) {
	env.Kubeconfig = c.Cluster.Address
	if c.Cluster.Choice == standIn {
		env.Kubeconfig, err = startCluster(ctx, o, env.Registry)
	}
	return c.Cluster, err
}

// lock keeps a second Up or Down waiting until the first has ended.
func (s State) lock(ctx context.Context, progress Progress) (unlock func(), err error) {
	if err := os.MkdirAll(s.Dir, 0o755); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(s.Path("lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	for said := false; ; said = true {
		err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil {
			return func() { f.Close() }, nil
		}
		if err != unix.EWOULDBLOCK {
			f.Close()
			return nil, fmt.Errorf("locking %s: %w", f.Name(), err)
		}
		if !said {
			progress("state", "another tagline uses "+s.Dir+"; waiting for it to end")
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}
