package pods

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	ktest "k8s.io/client-go/testing"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

func TestProgressOfAPull(t *testing.T) {
	for name, c := range map[string]struct {
		statuses []corev1.ContainerStatus
		pulled   bool
		problem  string
	}{
		"not begun": {},
		"pulling":   {statuses: []corev1.ContainerStatus{waiting("ContainerCreating", "")}},
		"it ended": {
			statuses: []corev1.ContainerStatus{{
				State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}},
			}},
			pulled: true,
		},
		"it cannot start": {
			statuses: []corev1.ContainerStatus{waiting("RunContainerError", "no such file")}, pulled: true,
		},
		"no such image": {
			statuses: []corev1.ContainerStatus{waiting("ErrImagePull", "not found")},
			problem:  "ErrImagePull: not found",
		},
		"still none there": {
			statuses: []corev1.ContainerStatus{waiting("ImagePullBackOff", "back-off")},
			problem:  "ImagePullBackOff: back-off",
		},
	} {
		t.Run(name, func(t *testing.T) {
			pulled, problem := progressOf(&corev1.Pod{Status: corev1.PodStatus{ContainerStatuses: c.statuses}})
			require.Equal(t, c.pulled, pulled)
			require.Equal(t, c.problem, problem)
		})
	}
}

func TestPullMakesAPodOnTheNodeAndRemovesIt(t *testing.T) {
	client := fake.NewClientset()
	client.PrependReactor("create", "pods", func(a ktest.Action) (bool, runtime.Object, error) {
		p := a.(ktest.CreateAction).GetObject().(*corev1.Pod)
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}},
		}}
		require.Equal(t, "node1", p.Spec.NodeName)
		require.Equal(t, "host/x@sha256:1", p.Spec.Containers[0].Image)
		return false, nil, nil
	})
	n := &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: client}
	require.NoError(t, Pull(t.Context(), n, []Image{{Node: "node1", Ref: "host/x@sha256:1"}}))
	left, err := client.CoreV1().Pods("bl01t").List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.Empty(t, left.Items)
}

func TestWhoMayNotMakePodsPullsNothing(t *testing.T) {
	client := fake.NewClientset()
	client.PrependReactor("create", "pods", func(ktest.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(
			schema.GroupResource{Resource: "pods"}, "x", errors.New("cannot create"),
		)
	})
	n := &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: client}
	require.NoError(t, Pull(t.Context(), n, []Image{{Node: "node1", Ref: "host/x@sha256:1"}}))
}
