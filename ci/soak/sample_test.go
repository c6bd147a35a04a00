package main

import (
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/tagline-ci/tagline/ci/fleet"
	"github.com/tagline-ci/tagline/ci/local/state"
	"github.com/tagline-ci/tagline/pipelines/cluster"
)

// ioc is the Deployment and the pod of an IOC.
func ioc(name string, ready bool) []runtime.Object {
	is := map[string]string{"app": name}
	return []runtime.Object{
		&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: line},
			Spec:   appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: is}},
			Status: appsv1.DeploymentStatus{UpdatedReplicas: 1, ReadyReplicas: 1}},
		&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: name + "-1-1", Namespace: line, Labels: is,
			OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: name + "-1"}}},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "ioc"}}},
			Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{
				{Name: "ioc", Ready: ready, State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}}}}},
	}
}

func testSoaked(t *testing.T, objects ...runtime.Object) *soaked {
	t.Helper()
	s := state.Dir(t.TempDir())
	require.NoError(t, os.MkdirAll(s.Path("registry", "docker", "registry", "v2", "repositories", line), 0o755))
	return &soaked{killed: map[string]int{}, Fleet: &fleet.Fleet{State: s,
		Namespace: &cluster.Namespace{Name: line, Beamline: line, Client: fake.NewClientset(objects...)}}}
}

func TestTheVictimIsOneThatWasKilledLeast(t *testing.T) {
	var objects []runtime.Object
	for name, ready := range map[string]bool{"a": true, "b": true, "c": true, "starting": false} {
		objects = append(objects, ioc(name, ready)...)
	}
	b := testSoaked(t, objects...)
	rng := rand.New(rand.NewPCG(1, 0))
	for range 6 {
		s, err := b.victim(t.Context(), rng)
		require.NoError(t, err)
		b.killed[s.Instance]++
	}
	assert.Equal(t, map[string]int{"a": 2, "b": 2, "c": 2}, b.killed)
	_, err := testSoaked(t, ioc("starting", false)...).victim(t.Context(), rng)
	assert.ErrorContains(t, err, "no IOC is ready")
}

func TestAnIOCWhoseProcessIsElsewhere(t *testing.T) {
	err := testSoaked(t, ioc("a", true)...).crash(t.Context(), rand.New(rand.NewPCG(1, 0)))
	assert.ErrorContains(t, err, "the process of a is not on this machine")
}

func TestADeletedPodIsGone(t *testing.T) {
	b := testSoaked(t, ioc("a", true)...)
	require.NoError(t, b.deletePod(t.Context(), rand.New(rand.NewPCG(1, 0))))
	left, err := b.Client.CoreV1().Pods(line).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	assert.Empty(t, left.Items)
}

func TestASampleCountsWhatIsTheBeamlines(t *testing.T) {
	ofHelm := map[string]string{"owner": "helm"}
	objects := append(ioc("a", true),
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "sh.helm.release.v1.a.v1", Namespace: line, Labels: ofHelm}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "pull", Namespace: line}},
		&corev1.Secret{ObjectMeta: metav1.ObjectMeta{
			Name: "sh.helm.release.v1.b.v1", Namespace: "bl01t", Labels: ofHelm,
		}},
		&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "tagline", Namespace: line}})
	s, err := testSoaked(t, objects...).sample(t.Context())
	require.NoError(t, err)
	assert.Equal(t, sample{Kinds: map[string]usage{}, Pods: 1, Secrets: 1, Maps: 1}, s, "nothing of tagline up runs")
}

func TestQuiet(t *testing.T) {
	spent, err := testSoaked(t).quiet(t.Context(), 10*time.Millisecond)
	require.NoError(t, err)
	assert.Zero(t, spent)
}
