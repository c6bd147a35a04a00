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

// isLost reports whether the cluster hears nothing of a pod because its node is
// gone. A kubelet that calls a pod not ready says why, and mostly that its containers
// are not either. The cluster, which knows neither, takes the readiness alone. So
// nobody needs the right to look at nodes, and a pod that was not ready before its
// node went is not found out.
func isLost(p *corev1.Pod) bool {
	ready, containers := condition(p, corev1.PodReady), condition(p, corev1.ContainersReady)
	return ready.Status == corev1.ConditionFalse && ready.Reason == "" && containers.Status == corev1.ConditionTrue
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
func ofTheIOC(mine []corev1.Pod) []corev1.Pod {
	if len(mine) == 0 || mine[0].Spec.NodeName == "" || isLost(&mine[0]) {
		return mine
	}
	return slices.DeleteFunc(mine, func(p corev1.Pod) bool { return isLost(&p) })
}

// Lose makes a state say that the node is gone. What was known of its pod may be so no
// more.
func (s *State) Lose() {
	s.Lost, s.Ready, s.Failing = s.Node, false, true
	s.Doing = fmt.Sprintf("node %s is gone: whether the IOC still runs there is not known", s.Lost)
}

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
