package local

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

const (
	kubeVersion = "v1.34.4"
	nodeName    = "beamline-node"
	// The API server answers at loopback only, the kubelet at the gateway.
	// Neither port is Kubernetes' own, so a cluster of the machine stays
	// untouched.
	apiPort     = 16443
	kubeletPort = 16250
)

// The leaf module that the cluster is built from.
var kubeLeaf = leaf{
	Name:     "kube",
	Programs: map[string]string{"kube": ".", "pause": "./pause"},
	LDFlags: "-X k8s.io/component-base/version.gitVersion=" + kubeVersion +
		" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=34",
}

// What runs pods. The network plugins are there for the loopback interface of
// pods without the host's network.
var clusterPackages = []string{"containerd", "runc", "containernetworking-plugins"}

// cluster is a built cluster: one node that is this machine.
type cluster struct {
	State
	Bin      string   // folder of its programs
	Self     []string // see Options
	Registry string   // host:port that images are pulled from over plain HTTP
	NodeIP   string
}

func (c cluster) path(elem ...string) string {
	return c.Path(append([]string{"kube"}, elem...)...)
}

func (c cluster) adminConfig() string { return c.path("admin.kubeconfig") }

// The daemons in the order of their start. Those after the API server need it.
const (
	etcdDaemon        = "kube-etcd"
	apiDaemon         = "kube-apiserver"
	controllersDaemon = "kube-controller-manager"
	schedulerDaemon   = "kube-scheduler"
	volumesDaemon     = "kube-volumes"
	nodeDaemon        = "kube-node"
)

var clusterDaemons = []string{etcdDaemon, apiDaemon, controllersDaemon, schedulerDaemon, volumesDaemon, nodeDaemon}

// startCluster brings the cluster up, with whatever ran in it before, and gives
// the path of its administrator's kubeconfig. Images are pulled from registry,
// host:port over plain HTTP, which must be up: the sandbox image is put there.
func startCluster(ctx context.Context, o Options, registry string) (string, error) {
	if os.Geteuid() != 0 {
		return "", &diag.Error{Kind: diag.Broken, Doing: "starting a cluster",
			Err: errors.New("pods need root and this is not root"),
			Fix: "run as root, or name a cluster in KUBECONFIG"}
	}
	if err := ensureContainerd(ctx, o.Progress); err != nil {
		return "", err
	}
	bin, err := buildLeaf(ctx, o.State, o.Progress, kubeLeaf)
	if err != nil {
		return "", err
	}
	if err := ensureBridge(); err != nil {
		return "", err
	}
	c := cluster{State: o.State, Bin: bin, Self: o.Self, Registry: registry, NodeIP: gatewayIP}
	if err := c.prepare(ctx); err != nil {
		return "", fmt.Errorf("preparing the cluster: %w", err)
	}
	o.Progress("cluster", "starting Kubernetes "+kubeVersion)
	return c.adminConfig(), c.start(ctx)
}

// prepare writes all that the daemons read.
func (c cluster) prepare(ctx context.Context) error {
	for dir, mode := range map[string]os.FileMode{"etcd": 0o700, "volumes": 0o711, "containerd": 0o711, "cni": 0o755} {
		if err := os.MkdirAll(c.path(dir), mode); err != nil {
			return err
		}
	}
	// New ones would cut the connections of a cluster that runs.
	if !c.running(apiDaemon) || !exists(c.adminConfig()) {
		if err := c.writeCredentials(); err != nil {
			return err
		}
	}
	if err := c.writeContainerd(); err != nil {
		return err
	}
	if err := c.writeKubelet(); err != nil {
		return err
	}
	if err := ensureCgroups(clusterCgroup); err != nil {
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
	for _, d := range []daemon{c.etcd(), c.apiserver(client)} {
		if err := c.State.start(ctx, d); err != nil {
			return err
		}
	}
	if err := ensureStorageClass(ctx, client); err != nil {
		return err
	}
	if !c.running(nodeDaemon) {
		if err := forgetReadiness(ctx, client); err != nil {
			return err
		}
	}
	for _, d := range []daemon{c.controllers(client), c.scheduler(), c.volumes(), c.node(client)} {
		if err := c.State.start(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// stopCluster ends the cluster and everything that runs in it. What the cluster
// knows stays under the state directory for the next start.
func stopCluster(ctx context.Context, s State) error {
	var errs []error
	for i := len(clusterDaemons) - 1; i >= 0; i-- {
		errs = append(errs, s.stop(ctx, clusterDaemons[i]))
	}
	errs = append(errs, removeCgroups(ctx, clusterCgroup))
	return errors.Join(errs...)
}
