package pods

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/record"
)

func TestHealthy(t *testing.T) {
	client := fake.NewClientset(
		readyPod("a", "host/ioc@sha256:1", corev1.ConditionTrue, 9),
		readyPod("b", "host/ioc@sha256:1", corev1.ConditionTrue, 7),
		readyPod("c", "host/ioc@sha256:2", corev1.ConditionFalse, 1),
		readyPod("d", "host/ioc:tag", corev1.ConditionTrue, 1),
	)
	since, err := Healthy(t.Context(), &cluster.Namespace{Name: "bl01t", Client: client})
	require.NoError(t, err)
	require.Len(t, since, 1)
	require.Equal(t, 7, since["sha256:1"].Hour())
}

// What runs with its config in its image has proved its generic IOC.
func TestHealthyCountsForTheGenericIOC(t *testing.T) {
	own, generic := "sha256:"+strings.Repeat("a", 64), "sha256:"+strings.Repeat("b", 64)
	pin, err := asset.ParsePin("ioc-simstage 1.0.0")
	require.NoError(t, err)
	rec := record.Record{
		Instances: []record.Instance{{Name: "bl01t-a", IOC: pin, Image: asset.Ref("host/instances/bl01t-a@" + own)}},
		Parents: record.Parents{Releases: []record.Parent{{
			Asset: pin.Asset, Version: pin.Version, Ref: asset.Ref("host/ioc-simstage-runtime@" + generic),
			Digest: asset.Digest(generic),
		}}},
	}
	n := &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: fake.NewClientset(
		readyPod("a", "host/instances/bl01t-a@"+own, corev1.ConditionTrue, 9),
	)}
	l := &ledger.Ledger{}
	l.Push(ledger.Release{Record: rec, Digest: asset.Digest(own)})
	require.NoError(t, l.Save(t.Context(), n))
	since, err := Healthy(t.Context(), n)
	require.NoError(t, err)
	require.Equal(t, 9, since[asset.Digest(generic)].Hour())
	require.Equal(t, since[asset.Digest(own)], since[asset.Digest(generic)])
}

// readyPod returns a pod that runs an image and has been ready, or not, since an hour.
func readyPod(name, image string, ready corev1.ConditionStatus, hour int) *corev1.Pod {
	at := metav1.NewTime(time.Date(2026, 11, 26, hour, 0, 0, 0, time.UTC))
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "bl01t"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Image: image}}},
		Status: corev1.PodStatus{Conditions: []corev1.PodCondition{
			{Type: corev1.PodReady, Status: ready, LastTransitionTime: at},
		}},
	}
}
