package promote_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/pods"
)

// Who may only look, and not at nodes, learns from a real cluster that it can't reach a
// node, and that it reaches one whose IOC is not ready.
func TestANodeThatNobodyReaches(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	n := w.open(w.as(w.grant()["looking"]))
	w.place("here", "")
	ghost := w.ghost()
	w.place("there", ghost)
	var last pods.Away
	require.Eventually(t, func() bool {
		all, err := n.Client.CoreV1().Pods(n.Name).List(t.Context(), metav1.ListOptions{})
		if err != nil || slices.ContainsFunc(all.Items, func(p corev1.Pod) bool { return p.Spec.NodeName == "" }) {
			return false // no node has taken it yet
		}
		last, err = pods.NodesAway(t.Context(), n, all.Items)
		return err == nil && len(last.Gone) == 0 && maps.Equal(last.Silent, map[string]bool{ghost: true})
	}, time.Minute, 100*time.Millisecond, "a node that is busy may be silent for a moment: %v", &last)
}

// ghost is a node that is in the cluster and nowhere else.
func (w *world) ghost() string {
	w.t.Helper()
	nodes := w.client.CoreV1().Nodes()
	node, err := nodes.Create(w.t.Context(), &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "ghost-" + w.namespace},
		Spec:       corev1.NodeSpec{Taints: []corev1.Taint{{Key: "ghost", Effect: corev1.TaintEffectNoSchedule}}},
	}, metav1.CreateOptions{})
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = nodes.Delete(context.Background(), node.Name, metav1.DeleteOptions{}) })
	node.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: "127.0.0.1"}}
	node.Status.DaemonEndpoints.KubeletEndpoint.Port = 1 // nobody listens
	node.ResourceVersion = ""                            // the cluster may have changed it meanwhile
	_, err = nodes.UpdateStatus(w.t.Context(), node, metav1.UpdateOptions{})
	require.NoError(w.t, err)
	return node.Name
}

// place makes a pod that never gets ready: on a node, or on one that the cluster chooses.
func (w *world) place(name, node string) {
	w.t.Helper()
	all, never, now := w.client.CoreV1().Pods(w.namespace), false, int64(0)
	require.Eventually(w.t, func() bool { // the namespace may be too young to take it
		_, err := all.Create(w.t.Context(), &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name},
			Spec: corev1.PodSpec{
				NodeName: node, AutomountServiceAccountToken: &never,
				Containers: []corev1.Container{{Name: "ioc", Image: w.image, Command: []string{"/nothing"}}},
			},
		}, metav1.CreateOptions{})
		return err == nil
	}, time.Minute, 100*time.Millisecond)
	w.t.Cleanup(func() {
		_ = all.Delete(context.Background(), name, metav1.DeleteOptions{GracePeriodSeconds: &now})
	})
}
