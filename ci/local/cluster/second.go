package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/tagline-ci/tagline/ci/local/host"
	"github.com/tagline-ci/tagline/ci/local/leaf"
	"github.com/tagline-ci/tagline/ci/local/process"
	"github.com/tagline-ci/tagline/ci/local/state"
)

// SecondTaint is the key of a taint that pods on the second node must tolerate: those of
// others shall not fail with it.
const SecondTaint = "tagline/second-node"

// SecondNode is a node that a test adds to the cluster that runs, to see what
// becomes of IOCs when it fails. It is this machine once more: pods on the host's
// network have the same address on both. While it is there the cluster does what
// one of many nodes does with a node that is silent, see lifecycle.
type SecondNode struct {
	State    state.Dir
	Self     []string // see process.Daemon
	Registry string   // see Start
}

func (c cluster) second() node {
	return node{
		cluster: c, Name: SecondName, Daemon: secondDaemon, Folder: "second", Port: 16251,
		Cgroup: "/tagline-2", Pods: secondPods, Taint: SecondTaint,
	}
}

// Start adds the node, or brings it back after Kill with what it had.
func (s SecondNode) Start(ctx context.Context) error {
	unlock, err := s.State.Lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if !process.Running(s.State, apiDaemon) {
		return errors.New("adding a second node: the stand-in cluster does not run")
	}
	bin, err := leaf.Build(ctx, s.State, module)
	if err != nil {
		return err
	}
	c := cluster{Dir: s.State, Bin: bin, Self: s.Self, Registry: s.Registry, NodeIP: host.GatewayIP}
	client, err := c.client()
	if err != nil {
		return err
	}
	n := c.second()
	ca, err := ensureAuthority(c.pki("ca.crt"), c.pki("ca.key"))
	if err != nil {
		return err
	}
	if err := errors.Join(os.MkdirAll(n.pki(""), 0o700), n.writeCredentials(ca), n.prepare(ctx)); err != nil {
		return err
	}
	for _, d := range []process.Daemon{n.daemon(client), c.lifecycle()} {
		if err := process.Start(ctx, s.State, d); err != nil {
			return err
		}
	}
	return nil
}

// Kill ends the node as a loss of power does: at once, with all that runs on it,
// and without a word to the cluster.
func (s SecondNode) Kill() error {
	pid, ok := process.Pid(s.State, secondDaemon)
	if !ok {
		return errors.New("killing the second node: it does not run")
	}
	return syscall.Kill(pid, syscall.SIGKILL)
}

// Remove takes the node out of the cluster and leaves nothing of it, whether it
// runs, was killed, or never was there.
func (s SecondNode) Remove(ctx context.Context) error {
	unlock, err := s.State.Lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	c := cluster{Dir: s.State}
	client, err := c.client()
	if err != nil {
		return err
	}
	return c.second().remove(ctx, client)
}

// remove ends what the node started, and takes it and its pods out of the cluster:
// nobody else would, once there is no lifecycle.
func (n node) remove(ctx context.Context, client kubernetes.Interface) error {
	err := errors.Join(process.Stop(ctx, n.Dir, n.Daemon), process.Stop(ctx, n.Dir, lifecycleDaemon))
	if err != nil {
		return err
	}
	err = client.CoreV1().Nodes().Delete(ctx, n.Name, meta.DeleteOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("removing node %s: %w", n.Name, err)
	}
	if err == nil {
		if err := errors.Join(n.removePods(ctx, client), untaint(ctx, client, FirstName)); err != nil {
			return err
		}
	}
	return errors.Join(host.RemoveCgroups(ctx, n.Cgroup), os.RemoveAll(n.own()))
}

// removePods gives up the pods of a node that is no more.
func (n node) removePods(ctx context.Context, client kubernetes.Interface) error {
	pods, err := client.CoreV1().Pods("").List(ctx, meta.ListOptions{FieldSelector: "spec.nodeName=" + n.Name})
	if err != nil {
		return fmt.Errorf("listing the pods of node %s: %w", n.Name, err)
	}
	now := int64(0)
	for _, p := range pods.Items {
		err := client.CoreV1().Pods(p.Namespace).Delete(ctx, p.Name, meta.DeleteOptions{GracePeriodSeconds: &now})
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("removing pod %s/%s: %w", p.Namespace, p.Name, err)
		}
	}
	return nil
}

// untaint frees a node that was silent for a while when the lifecycle ended:
// nothing would be scheduled there any more.
func untaint(ctx context.Context, client kubernetes.Interface, name string) error {
	known, err := client.CoreV1().Nodes().Get(ctx, name, meta.GetOptions{})
	if err != nil || len(known.Spec.Taints) == 0 {
		return err
	}
	known.Spec.Taints = nil
	if _, err := client.CoreV1().Nodes().Update(ctx, known, meta.UpdateOptions{}); err != nil {
		return fmt.Errorf("freeing node %s: %w", name, err)
	}
	return nil
}
