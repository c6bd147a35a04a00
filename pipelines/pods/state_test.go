package pods

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// deployment and pod are an instance that is ready; each case breaks one thing.
func deployment() *appsv1.Deployment {
	one := int32(1)
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "bl01t-mo-ioc-01", Generation: 2},
		Spec: appsv1.DeploymentSpec{
			Replicas: &one,
			Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": "x"}},
		},
		Status: appsv1.DeploymentStatus{ObservedGeneration: 2, UpdatedReplicas: 1, ReadyReplicas: 1},
	}
}

func pod(name string, status corev1.ContainerStatus) corev1.Pod {
	status.Name = "ioc"
	return corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, UID: "uid-" + "1", Labels: map[string]string{"app": "x"},
			OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: "bl01t-mo-ioc-01-7d9"}}},
		Spec: corev1.PodSpec{
			NodeName:   "node1",
			Containers: []corev1.Container{{Name: "ioc", Image: "host/x@sha256:1"}},
		},
		Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{status}},
	}
}

func running(ready bool) corev1.ContainerStatus {
	return corev1.ContainerStatus{
		Ready: ready,
		State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.Unix(100, 0)}},
	}
}

func waiting(reason, message string) corev1.ContainerStatus {
	return corev1.ContainerStatus{
		State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}},
	}
}

func crashed(restarts int32, t corev1.ContainerStateTerminated) corev1.ContainerStatus {
	s := waiting("CrashLoopBackOff", "back-off")
	s.RestartCount, s.LastTerminationState.Terminated = restarts, &t
	return s
}

func TestDescribe(t *testing.T) {
	for name, c := range map[string]struct {
		change  func(*appsv1.Deployment)
		pods    []corev1.Pod
		doing   string
		ready   bool
		failing bool
	}{
		"ready": {pods: []corev1.Pod{pod("a", running(true))}, doing: "ready", ready: true},
		"not seen yet": {
			change: func(d *appsv1.Deployment) { d.Generation = 3 }, pods: []corev1.Pod{pod("a", running(true))},
			doing: "waiting for the cluster to take it up",
		},
		"old count": {
			change: func(d *appsv1.Deployment) { d.Status.UpdatedReplicas = 0 },
			pods:   []corev1.Pod{pod("a", running(true))}, doing: "waiting for the cluster to see that it is ready",
		},
		"scaled to 0": {
			change: func(d *appsv1.Deployment) { *d.Spec.Replicas = 0 }, doing: "stopped: scaled to 0", failing: true,
		},
		"forbidden": {change: func(d *appsv1.Deployment) {
			d.Status.Conditions = []appsv1.DeploymentCondition{{
				Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Message: "exceeded quota",
			}}
		}, doing: "no pod is allowed: exceeded quota", failing: true},
		"no pod": {doing: "waiting for its pod"},
		"two pods": {
			pods:  []corev1.Pod{pod("b", running(true)), pod("a", running(true))},
			doing: "waiting for the former IOC to stop",
		},
		"started": {
			pods: []corev1.Pod{pod("a", running(false))}, doing: "started, its PV does not answer yet",
		},
		"creating": {
			pods:  []corev1.Pod{pod("a", waiting("ContainerCreating", ""))},
			doing: "pulling its image or preparing its volumes",
		},
		"no image": {
			pods:  []corev1.Pod{pod("a", waiting("ImagePullBackOff", "not found"))},
			doing: "ImagePullBackOff: not found", failing: true,
		},
		"first crash": {
			pods:  []corev1.Pod{pod("a", crashed(0, corev1.ContainerStateTerminated{ExitCode: 1}))},
			doing: "ended with exit status 1",
		},
		"crash loop": {
			pods:  []corev1.Pod{pod("a", crashed(3, corev1.ContainerStateTerminated{ExitCode: 1}))},
			doing: "ended 3 times, last with exit status 1", failing: true,
		},
		"killed for memory": {
			pods: []corev1.Pod{pod("a", crashed(
				2, corev1.ContainerStateTerminated{ExitCode: 137, Reason: "OOMKilled"},
			))},
			doing: "ended 2 times, last with more memory used than its limit allows (OOMKilled)", failing: true,
		},
		"killed by a signal": {
			pods:  []corev1.Pod{pod("a", crashed(2, corev1.ContainerStateTerminated{Signal: 11}))},
			doing: "ended 2 times, last with signal 11", failing: true,
		},
		"no node takes it": {
			pods: []corev1.Pod{unschedulable()}, doing: "no node takes it: 0/1 nodes are available",
		},
		"container not begun": {
			pods: []corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Name: "a"}}}, doing: "waiting for its node",
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := deployment()
			if c.change != nil {
				c.change(d)
			}
			s := describe(d, c.pods, Away{})
			require.Equal(t, c.doing, s.Doing)
			require.Equal(t, c.ready, s.Ready)
			require.Equal(t, c.failing, s.Failing)
		})
	}
}

// A container that a busy node did not start in time is started again; one that can't
// be started is not.
func TestDescribeOfAContainerThatDoesNotStart(t *testing.T) {
	late := pod("a", waiting("RunContainerError", "context deadline exceeded"))
	s := describe(deployment(), []corev1.Pod{late}, Away{})
	require.Equal(t, "its node was too busy to start it, and tries again: context deadline exceeded", s.Doing)
	require.False(t, s.Failing)
	never := pod("a", waiting("RunContainerError", `exec: "iocs": not found`))
	s = describe(deployment(), []corev1.Pod{never}, Away{})
	require.Equal(t, `RunContainerError: exec: "iocs": not found`, s.Doing)
	require.True(t, s.Failing)
}

func unschedulable() corev1.Pod {
	p := pod("a", running(true))
	p.Status.Conditions = []corev1.PodCondition{
		{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: "0/1 nodes are available"},
	}
	return p
}

func TestDescribeOfAPodThatStops(t *testing.T) {
	p := pod("a", running(true))
	now := metav1.Now()
	p.DeletionTimestamp = &now
	s := describe(deployment(), []corev1.Pod{p}, Away{})
	require.False(t, s.Ready)
	require.Equal(t, "stopping the former IOC", s.Doing)
}

func TestDescribeTellsThePod(t *testing.T) {
	d := deployment()
	d.Status.Conditions = []appsv1.DeploymentCondition{
		{Type: appsv1.DeploymentProgressing, LastTransitionTime: metav1.Unix(90, 0)},
		{Type: appsv1.DeploymentAvailable, LastTransitionTime: metav1.Unix(101, 0)},
	}
	s := describe(d, []corev1.Pod{pod("a", running(true))}, Away{})
	require.Equal(
		t,
		State{
			Instance:  "bl01t-mo-ioc-01",
			Pod:       "a",
			UID:       "uid-1",
			Container: "ioc",
			Node:      "node1",
			Image:     "host/x@sha256:1",
			Template:  digestOf(deployment().Spec.Template),
			Ready:     true,
			Since:     time.Unix(100, 0),
			Doing:     "ready",

			Generation: 2,
			Turned:     time.Unix(101, 0),
		},
		s,
	)
}

func TestPodsOfLeavesOutOthers(t *testing.T) {
	mine, labelled, owned := pod("a", running(true)), pod("b", running(true)), pod("c", running(true))
	labelled.OwnerReferences = nil // started by hand with our labels
	owned.Labels = nil
	got := podsOf(deployment(), []corev1.Pod{mine, labelled, owned})
	require.Len(t, got, 1)
	require.Equal(t, "a", got[0].Name)
}
