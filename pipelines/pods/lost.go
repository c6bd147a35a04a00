package pods

import (
	"context"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

// tells reports whether a pod tells that its node is gone. A kubelet that calls a pod not
// ready says why, and mostly that its containers are not either. The cluster, which knows
// neither, takes the readiness alone. So whoever may not look at nodes finds out too. A
// pod that was not ready before its node went tells nothing.
func tells(p *corev1.Pod) bool {
	ready, containers := condition(p, corev1.PodReady), condition(p, corev1.ContainersReady)
	return ready.Status == corev1.ConditionFalse && ready.Reason == "" && containers.Status == corev1.ConditionTrue
}

// told returns the nodes that are gone, as one of their pods tells.
func told(pods []corev1.Pod) map[string]bool {
	gone := map[string]bool{}
	for _, p := range pods {
		if tells(&p) {
			gone[p.Spec.NodeName] = true
		}
	}
	return gone
}

// Away are the nodes of a namespace's pods on which an IOC may run or not.
type Away struct {
	Gone   map[string]bool // the cluster hears nothing of them
	Silent map[string]bool // they do not answer the cluster, and whether they are gone may not be asked
}

// NodesAway returns the nodes of pods that are gone: of which the cluster hears nothing.
// Where no pod of a node tells, and one is not ready, the node itself is looked at. Who may
// not do that learns whether it answers.
func NodesAway(ctx context.Context, n *cluster.Namespace, pods []corev1.Pod) (Away, error) {
	away, hidden, err := nodesGone(ctx, n, pods)
	if err == nil {
		away.Silent = silent(ctx, n, hidden)
	}
	return away, err
}

// nodesGone returns the nodes that are gone, and a pod of each that may not be looked at.
func nodesGone(ctx context.Context, n *cluster.Namespace, pods []corev1.Pod) (Away, []corev1.Pod, error) {
	away, asked := Away{Gone: told(pods)}, map[string]bool{"": true} // a pod that waits is on none
	var hidden []corev1.Pod
	for _, p := range pods {
		name := p.Spec.NodeName
		if asked[name] || away.Gone[name] || condition(&p, corev1.PodReady).Status == corev1.ConditionTrue {
			continue
		}
		asked[name] = true
		if len(hidden) > 0 {
			hidden = append(hidden, p) // the right to look is to all nodes
			continue
		}
		node, err := n.Client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		switch {
		case apierrors.IsForbidden(err):
			hidden = append(hidden, p)
		case apierrors.IsNotFound(err): // the cluster drops its pods by itself
		case err != nil:
			return away, nil, cluster.Broken("looking at node "+name, err)
		case Readiness(node) == corev1.ConditionUnknown:
			away.Gone[name] = true
		}
	}
	return away, hidden, nil
}

// Readiness returns what the cluster says of a node: it is unknown once the node is gone.
func Readiness(node *corev1.Node) corev1.ConditionStatus {
	for _, c := range node.Status.Conditions {
		if c.Type == corev1.NodeReady {
			return c.Status
		}
	}
	return ""
}

// condition returns what a pod says of itself; nothing where it says nothing.
func condition(p *corev1.Pod, kind corev1.PodConditionType) corev1.PodCondition {
	for _, c := range p.Status.Conditions {
		if c.Type == kind {
			return c
		}
	}
	return corev1.PodCondition{}
}

// ofTheIOC leaves out of a Deployment's pods, newest first, those on nodes that are
// gone, once the cluster has given them up and started another.
func ofTheIOC(mine []corev1.Pod, gone map[string]bool) []corev1.Pod {
	if len(mine) == 0 || mine[0].Spec.NodeName == "" || gone[mine[0].Spec.NodeName] {
		return mine
	}
	return slices.DeleteFunc(mine, func(p corev1.Pod) bool { return gone[p.Spec.NodeName] })
}

// lose makes a state say that the node is gone. What was known of its pod may be so no
// more.
func (s *State) lose() {
	s.Lost, s.Ready, s.Failing = s.Node, false, true
	s.Doing = fmt.Sprintf("node %s is gone: whether the IOC still runs there is not known", s.Lost)
}

// doubt makes a state say that the node may be gone. What was known of its pod stays: a
// node that does not answer for a moment comes back by itself.
func (s *State) doubt(node string) {
	s.Silent, s.Ready = node, false
	s.Doing += fmt.Sprintf(
		"; its node %s does not answer and may be gone: with nodes=true in the roles you would be told", node,
	)
}

// IsAway reports whether the node of an IOC is gone, or may be: nobody waits for it to get
// ready there, and only a person can say that it does not run there any more.
func (s State) IsAway() bool { return s.Lost != "" || s.Silent != "" }

// GiveUp makes the cluster forget the pods of instances whose node is gone: they would
// never end, and nothing takes their place while they are there. A node that comes back
// ends what still runs there.
func GiveUp(ctx context.Context, n *cluster.Namespace, states []State) error {
	now := int64(0)
	for _, s := range states {
		uid := types.UID(s.UID)
		err := n.Client.CoreV1().Pods(n.Name).Delete(ctx, s.Pod, metav1.DeleteOptions{
			GracePeriodSeconds: &now, Preconditions: &metav1.Preconditions{UID: &uid},
		})
		if err != nil && !apierrors.IsNotFound(err) {
			return cluster.Broken("giving up pod "+s.Pod, err)
		}
	}
	return nil
}
