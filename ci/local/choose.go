package local

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tagline-ci/tagline/ci/local/cluster"
	"github.com/tagline-ci/tagline/ci/local/engine"
	"github.com/tagline-ci/tagline/ci/local/host"
	"github.com/tagline-ci/tagline/ci/local/reach"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// The addresses that show whether the real thing is in reach.
const (
	dockerHub = "https://registry-1.docker.io/v2/"
	gitHub    = "https://github.com/epics-base/epics-base/info/refs?service=git-upload-pack"
)

// standIn is the choice where the machine offers nothing better.
const standIn = "stand-in"

// inDocker is the choice of an engine that Docker runs.
const inDocker = "Docker"

// choice is what is used for each need.
type choice struct {
	Engine  Part   // Choice is standIn, "running engine" or "Docker"
	Gateway string // this machine's address as the engine's containers know it
	Cluster Part   // Choice is standIn or "running cluster"
	Hub     error  // why Docker Hub is out of reach; nil when it answers
	GitHub  error  // the same of GitHub
}

// choose looks at what the machine offers. A choice that a person made, by an
// environment variable, is never replaced: it is an error when it is not there.
func choose(ctx context.Context, o Options) (choice, error) {
	var c choice
	var err error
	if err = c.chooseEngine(ctx, o); err != nil {
		return c, err
	}
	if c.Cluster, err = chooseCluster(ctx, o); err != nil {
		return c, err
	}
	hub, github := make(chan error, 1), make(chan error, 1)
	go func() { hub <- reach.Site(ctx, dockerHub, http.StatusOK, http.StatusUnauthorized) }()
	go func() { github <- reach.Site(ctx, gitHub, http.StatusOK) }()
	c.Hub, c.GitHub = <-hub, <-github
	return c, ctx.Err()
}

// allowed refuses stand-ins that only root can start, before anything is.
func (c choice) allowed(root bool) error {
	var parts, fixes []string
	if c.Engine.Choice == standIn {
		parts = append(parts, "an engine")
		fixes = append(fixes, "start Docker, or name an engine in _EXPERIMENTAL_DAGGER_RUNNER_HOST")
	}
	if c.Cluster.Choice == standIn {
		parts = append(parts, "a cluster")
		fixes = append(fixes, "name a cluster in KUBECONFIG")
	}
	if root || len(parts) == 0 {
		return nil
	}
	return &diag.Error{
		Kind: diag.Invalid, Doing: "starting " + strings.Join(parts, " and "),
		Err: errors.New("containers and pods need root, and this is not root; nothing was started"),
		Fix: "run it as root; or else " + strings.Join(fixes, ", and "),
	}
}

// chooseEngine sets Engine and Gateway.
func (c *choice) chooseEngine(ctx context.Context, o Options) error {
	ours := engine.Address(o.State)
	c.Engine = Part{Part: "engine", Choice: standIn, Address: ours}
	c.Gateway = host.GatewayIP
	if o.RunnerHost != "" && o.RunnerHost != ours && o.RunnerHost != engine.DockerAddress {
		if err := dialEngine(ctx, o.RunnerHost); err != nil {
			return &diag.Error{Kind: diag.Broken, Doing: "reaching the engine in _EXPERIMENTAL_DAGGER_RUNNER_HOST",
				Err: err, Fix: "start it, or unset the variable to have one started here"}
		}
		c.Engine = Part{"engine", "running engine", "named by _EXPERIMENTAL_DAGGER_RUNNER_HOST", o.RunnerHost}
		return nil
	}
	why := c.chooseDocker(ctx, o)
	if why == nil {
		return nil
	}
	c.Engine.Why = "_EXPERIMENTAL_DAGGER_RUNNER_HOST names no engine and Docker offers none (" +
		why.Error() + "); built from source"
	return ctx.Err()
}

// chooseDocker sets Engine and Gateway, or returns why Docker will not do.
func (c *choice) chooseDocker(ctx context.Context, o Options) error {
	d, err := engine.NewDocker(o.DockerHost)
	if err != nil {
		return err
	}
	gateway, err := d.Gateway(ctx)
	if err != nil {
		return err
	}
	if err := d.OffersEngine(ctx); err != nil {
		return err
	}
	c.Gateway = gateway
	c.Engine = Part{"engine", inDocker, "a Docker daemon answers", engine.DockerAddress}
	return nil
}

// dialEngine tries the two kinds of address that can be tried; the others name
// a container or an image, which the dagger command starts.
func dialEngine(ctx context.Context, address string) error {
	network, where, _ := strings.Cut(address, "://")
	if network != "unix" && network != "tcp" {
		return nil
	}
	return reach.Socket(ctx, network, where)
}

func chooseCluster(ctx context.Context, o Options) (Part, error) {
	ours := cluster.AdminConfig(o.State)
	p := Part{Part: "cluster", Choice: standIn, Why: "KUBECONFIG names no cluster; built from source", Address: ours}
	if o.Kubeconfig == "" || o.Kubeconfig == ours {
		return p, nil
	}
	version, err := clusterVersion(o.Kubeconfig)
	if err != nil {
		return p, &diag.Error{Kind: diag.Broken, Doing: "reaching the cluster in KUBECONFIG=" + o.Kubeconfig,
			Err: err, Fix: "start it, or unset the variable to have one started here"}
	}
	return Part{Part: "cluster", Choice: "running cluster", Address: o.Kubeconfig,
		Why: "named by KUBECONFIG; it says it is Kubernetes " + version}, ctx.Err()
}

// clusterVersion returns what a cluster answers when it is asked for its
// version: "v1.34.4". kubeconfig may be a
// list of files, as kubectl takes it.
func clusterVersion(kubeconfig string) (string, error) {
	rules := &clientcmd.ClientConfigLoadingRules{Precedence: strings.Split(kubeconfig, ":")}
	cfg, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return "", err
	}
	cfg.Timeout = reach.Limit
	client, err := kubernetes.NewForConfig(cfg)
	if err != nil {
		return "", err
	}
	v, err := client.Discovery().ServerVersion()
	if err != nil {
		return "", err
	}
	return v.GitVersion, nil
}
