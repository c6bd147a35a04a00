// Package cluster is the Kubernetes cluster that stands in on one machine: built
// from source, with one node that is this machine, and Debian's containerd. Tests
// add a second node to it.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tagline-ci/tagline/ci/local/host"
	"github.com/tagline-ci/tagline/ci/local/leaf"
	"github.com/tagline-ci/tagline/ci/local/process"
	"github.com/tagline-ci/tagline/ci/local/state"
	"github.com/tagline-ci/tagline/pipelines/step"
)

const (
	version = "v1.34.4"
	// The API server answers at loopback only, kubelets at the gateway. No port is
	// Kubernetes' own, so a cluster of the machine stays untouched.
	apiPort = 16443
)

// module is what the cluster is built from.
var module = leaf.Module{
	Name:     "kube",
	Sources:  leaf.Kube,
	Programs: map[string]string{"kube": ".", "pause": "./pause"},
	LDFlags: "-X k8s.io/component-base/version.gitVersion=" + version +
		" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=34",
}

// packages are what runs pods, gives them a network, and leads their services.
var packages = []string{"containerd", "runc", "containernetworking-plugins", "nftables"}

// cluster is a built cluster. Its nodes are this machine.
type cluster struct {
	state.Dir
	Bin      string   // folder of its programs
	Self     []string // see process.Daemon
	Registry string   // host:port that images are pulled from over plain HTTP
	NodeIP   string
}

func (c cluster) path(elem ...string) string {
	return c.Path(append([]string{"kube"}, elem...)...)
}

// AdminConfig is the path of the kubeconfig of the cluster's administrator.
func AdminConfig(s state.Dir) string { return cluster{Dir: s}.kubeconfig("admin") }

// The daemons in the order of their start. Those after the API server need it.
const (
	etcdDaemon        = "kube-etcd"
	apiDaemon         = "kube-apiserver"
	controllersDaemon = "kube-controller-manager"
	schedulerDaemon   = "kube-scheduler"
	volumesDaemon     = "kube-volumes"
	proxyDaemon       = "kube-proxy"
	nodeDaemon        = "kube-node"
	lifecycleDaemon   = "kube-node-lifecycle"
	secondDaemon      = "kube-node-2"
)

var daemons = []string{
	etcdDaemon, apiDaemon, controllersDaemon, schedulerDaemon, volumesDaemon, proxyDaemon, nodeDaemon,
	lifecycleDaemon, secondDaemon,
}

// Start brings the cluster up, with whatever ran in it before, and returns the
// path of its administrator's kubeconfig. Images are pulled from registry,
// host:port over plain HTTP, which must be up: the sandbox image is put there. A
// SecondNode that was not removed is.
func Start(ctx context.Context, s state.Dir, self []string, registry string) (string, error) {
	if err := ensureContainerd(ctx); err != nil {
		return "", err
	}
	bin, err := leaf.Build(ctx, s, module)
	if err != nil {
		return "", err
	}
	if err := host.EnsureBridge(); err != nil {
		return "", err
	}
	c := cluster{Dir: s, Bin: bin, Self: self, Registry: registry, NodeIP: host.GatewayIP}
	if err := c.prepare(ctx); err != nil {
		return "", fmt.Errorf("preparing the cluster: %w", err)
	}
	step.Say(ctx, "cluster", "starting Kubernetes "+version)
	return AdminConfig(s), c.start(ctx)
}

// prepare writes all that the daemons read.
func (c cluster) prepare(ctx context.Context) error {
	for dir, mode := range map[string]os.FileMode{"etcd": 0o700, "volumes": 0o711} {
		if err := os.MkdirAll(c.path(dir), mode); err != nil {
			return err
		}
	}
	// New ones would cut the connections of a cluster that runs.
	if !process.Running(c.Dir, apiDaemon) || !c.haveKubeconfigs() {
		if err := c.writeCredentials(); err != nil {
			return err
		}
	}
	if err := errors.Join(c.first().prepare(ctx), c.writeProxy()); err != nil {
		return err
	}
	return c.pushPause(ctx, filepath.Join(c.Bin, "pause"))
}

// start starts the daemons, each when what it needs is there.
func (c cluster) start(ctx context.Context) error {
	client, err := c.client()
	if err != nil {
		return err
	}
	for _, d := range []process.Daemon{c.etcd(), c.apiserver(client)} {
		if err := process.Start(ctx, c.Dir, d); err != nil {
			return err
		}
	}
	if err := ensureStorageClass(ctx, client); err != nil {
		return err
	}
	if err := c.second().remove(ctx, client); err != nil {
		return err
	}
	if !process.Running(c.Dir, nodeDaemon) {
		if err := forgetReadiness(ctx, client); err != nil {
			return err
		}
	}
	after := []process.Daemon{c.controllers(client), c.scheduler(), c.volumes()}
	switch ours, err := host.ClaimServices(c.Dir); {
	case err != nil:
		return err
	case ours:
		after = append(after, c.proxy())
	default:
		step.Say(ctx, "cluster", "another cluster of this machine has a kube-proxy: services here lead nowhere")
	}
	for _, d := range append(after, c.first().daemon(client)) {
		if err := process.Start(ctx, c.Dir, d); err != nil {
			return err
		}
	}
	return nil
}

// Stop ends the cluster and everything that runs in it. What the cluster
// knows stays under the state directory for the next start. Where none was ever
// started there is nothing to do: the control groups are another state directory's.
func Stop(ctx context.Context, s state.Dir) error {
	if _, err := os.Stat(s.Path("kube")); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	c, errs := cluster{Dir: s}, []error(nil)
	for i := len(daemons) - 1; i >= 0; i-- {
		errs = append(errs, process.Stop(ctx, s, daemons[i]))
	}
	for _, n := range []node{c.first(), c.second()} {
		errs = append(errs, host.RemoveCgroups(ctx, n.Cgroup))
	}
	return errors.Join(errs...)
}
