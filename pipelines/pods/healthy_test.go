package pods

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

func TestHealthy(t *testing.T) {
	pod := func(name, image string, ready corev1.ConditionStatus, hour int) *corev1.Pod {
		at := metav1.NewTime(time.Date(2026, 11, 26, hour, 0, 0, 0, time.UTC))
		return &corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "bl01t"},
			Spec:       corev1.PodSpec{Containers: []corev1.Container{{Image: image}}},
			Status: corev1.PodStatus{Conditions: []corev1.PodCondition{
				{Type: corev1.PodReady, Status: ready, LastTransitionTime: at},
			}},
		}
	}
	client := fake.NewClientset(
		pod("a", "host/ioc@sha256:1", corev1.ConditionTrue, 9), pod("b", "host/ioc@sha256:1", corev1.ConditionTrue, 7),
		pod("c", "host/ioc@sha256:2", corev1.ConditionFalse, 1), pod("d", "host/ioc:tag", corev1.ConditionTrue, 1),
	)
	since, err := Healthy(t.Context(), &cluster.Namespace{Name: "bl01t", Client: client})
	require.NoError(t, err)
	require.Len(t, since, 1)
	require.Equal(t, 7, since["sha256:1"].Hour())
}
