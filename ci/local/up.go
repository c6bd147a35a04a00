// Package local brings up what a release and a promotion need on one machine
// that lacks them: a Dagger engine, an OCI registry, a base image, mirrors
// of git sources and a one-node Kubernetes cluster. Where the machine offers
// the real thing, that is used instead.
package local

import (
	"context"
	"fmt"
	"os"

	"golang.org/x/sync/errgroup"

	"github.com/tagline-ci/tagline/ci/local/cluster"
	"github.com/tagline-ci/tagline/ci/local/debian"
	"github.com/tagline-ci/tagline/ci/local/engine"
	"github.com/tagline-ci/tagline/ci/local/shelf"
	"github.com/tagline-ci/tagline/ci/local/state"
)

// Options is what Up needs to know. The values of the environment are read by
// the caller.
type Options struct {
	State state.Dir
	// RunnerHost is _EXPERIMENTAL_DAGGER_RUNNER_HOST, Kubeconfig is KUBECONFIG:
	// an engine and a cluster that are there already. Empty for none.
	// DockerHost is DOCKER_HOST; empty for Docker's usual socket.
	RunnerHost string
	Kubeconfig string
	DockerHost string
	// Self is the command line that calls Serve in a new process: the path of
	// this program and "serve".
	Self []string
}

// Up starts what the machine lacks and returns how to reach everything. What
// runs already is left alone, so calling it twice is harmless; what a killed
// run left is taken up again.
func Up(ctx context.Context, o Options) (Env, error) {
	unlock, err := o.State.Lock(ctx)
	if err != nil {
		return Env{}, err
	}
	defer unlock()
	if err := o.State.RemoveTemp(ctx); err != nil {
		return Env{}, err
	}
	chosen, err := choose(ctx, o)
	if err != nil {
		return Env{}, err
	}
	if err := chosen.allowed(os.Geteuid() == 0); err != nil {
		return Env{}, err
	}
	ports, err := shelf.Start(ctx, o.State, o.Self, chosen.Gateway)
	if err != nil {
		return Env{}, err
	}
	u := up{o, chosen, ports}
	var env Env
	var cluster Part
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { env, err = u.build(ctx); return err })
	g.Go(func() (err error) { cluster, err = u.cluster(ctx); return err })
	if err := g.Wait(); err != nil {
		return Env{}, err
	}
	env.Kubeconfig = cluster.Address
	env.Parts = append(env.Parts, cluster)
	return env, writeEnv(o.State, env)
}

// up is one run of Up, after the choice.
type up struct {
	Options
	chosen choice
	ports  shelf.Ports
}

// build brings up all that a release needs, and announces it, so that a release
// can begin while the cluster is being compiled.
func (u up) build(ctx context.Context) (Env, error) {
	env := Env{Registry: u.ports.RegistryAddress(), Git: u.ports.MirrorURL()}
	var engine, base, sources Part
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) { engine, err = u.engine(ctx, &env); return err })
	g.Go(func() (err error) { base, err = u.baseImage(ctx); return err })
	g.Go(func() (err error) { sources, err = u.sources(ctx, &env); return err })
	if err := g.Wait(); err != nil {
		return Env{}, err
	}
	registry := Part{"registry", standIn, "images and charts survive a restart; plain HTTP", env.Registry}
	env.Parts = []Part{engine, registry, base, sources}
	return env, announce(u.State, env)
}

// announce writes an Env without a cluster, unless there is one from before: who
// uses that shall not miss its cluster.
func announce(s state.Dir, e Env) error {
	if state.Exists(envFile(s)) {
		return nil
	}
	return writeEnv(s, e)
}

// engine sets the Env's RunnerHost and CLIBin.
func (u up) engine(ctx context.Context, env *Env) (part Part, err error) {
	env.RunnerHost = u.chosen.Engine.Address
	o := engine.Options{State: u.State, Self: u.Self, Ports: u.ports, HubOut: u.chosen.Hub != nil}
	switch u.chosen.Engine.Choice {
	case standIn:
		env.CLIBin, err = engine.Start(ctx, o)
		return u.chosen.Engine, err
	case inDocker:
		if err := engine.StartInDocker(ctx, o, u.DockerHost); err != nil {
			return Part{}, err
		}
	}
	env.CLIBin, err = engine.Command(ctx, u.State)
	return u.chosen.Engine, err
}

func (u up) baseImage(ctx context.Context) (Part, error) {
	if u.chosen.Hub == nil {
		return Part{"base image", "Docker Hub", "it answers", "docker.io/" + debian.BaseImage}, nil
	}
	img, err := debian.EnsureBaseImage(ctx, u.State)
	if err != nil {
		return Part{}, err
	}
	ref := fmt.Sprintf("127.0.0.1:%d/%s", u.ports.Registry, debian.BaseImage)
	if err := shelf.Push(ctx, ref, img); err != nil {
		return Part{}, fmt.Errorf("pushing %s: %w", ref, err)
	}
	digest, err := img.Digest()
	return Part{"base image", standIn, "Docker Hub is out of reach (" + u.chosen.Hub.Error() + ")",
		fmt.Sprintf("%s/%s@%s", u.ports.RegistryAddress(), debian.BaseImage, digest)}, err
}

// sources sets the Env's Mirrors.
func (u up) sources(ctx context.Context, env *Env) (Part, error) {
	if u.chosen.GitHub == nil {
		return Part{"sources", "GitHub", "it answers", "https://github.com/"}, nil
	}
	env.Mirrors = map[string]string{"https://github.com/": u.ports.MirrorURL() + "github.com/"}
	err := debian.EnsureRepository(ctx, u.State, debian.EPICSBase)
	why := "GitHub is out of reach (" + u.chosen.GitHub.Error() + ")"
	return Part{"sources", standIn, why, u.ports.MirrorURL()}, err
}

// cluster returns the part whose address is the path of the kubeconfig.
func (u up) cluster(ctx context.Context) (part Part, err error) {
	part = u.chosen.Cluster
	if part.Choice == standIn {
		part.Address, err = cluster.Start(ctx, u.State, u.Self, u.ports.RegistryAddress())
	}
	return part, err
}
