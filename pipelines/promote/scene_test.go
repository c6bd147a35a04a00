package promote

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	metadatafake "k8s.io/client-go/metadata/fake"
	k8stesting "k8s.io/client-go/testing"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/events"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/pvs"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// scene is a beamline in memory with IOCs a and b, both ready, of which a promotion
// from 1.0.0 to 2.0.0 has touched a.
type scene struct {
	t         *testing.T
	m         *move
	client    *fake.Clientset
	interrupt func() // stops the run, as Ctrl-C does
	lose      func() // takes the lock away

	mu       sync.Mutex
	severity map[string]string // by PV that answers
	asked    int               // how often an IOC was asked
	refused  error             // what an IOC that is asked says instead
	lost     error             // what the cluster says instead
	slow     time.Duration     // how long an answer takes
}

func newScene(t *testing.T) *scene {
	metadata := metadatafake.NewTestScheme()
	require.NoError(t, metav1.AddMetaToScheme(metadata))
	s := &scene{
		t: t, client: fake.NewClientset(deployment("a"), podOf("a"), deployment("b"), podOf("b")),
		severity: map[string]string{"A:X.STAT": "MINOR", "B:X": "NO_ALARM"},
	}
	s.client.PrependReactor("list", "deployments", func(k8stesting.Action) (bool, runtime.Object, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.lost != nil, nil, s.lost
	})
	n := &cluster.Namespace{
		Name: "bl01t", Beamline: "bl01t", Client: s.client, Metadata: metadatafake.NewSimpleMetadataClient(metadata),
	}
	s.m = &move{
		Deps: Deps{Cluster: n, Timeout: time.Minute}, doing: "promoting",
		verify: &policy.Verify{For: "15s", PVs: []string{"A:X.STAT", "B:X"}}, severities: s.answer,
		ledger: &ledger.Ledger{Releases: []ledger.Release{releaseOf("1.0.0")}}, to: releaseOf("2.0.0"),
	}
	now := s.m.ledger.Current()
	require.NoError(t, pvs.Save(t.Context(), n, now.Digest, pvs.Of(&now.Record), nil))
	now.Record.Checks = nil // as the ledger keeps it
	var err error
	s.m.before, _, err = pods.States(t.Context(), n)
	require.NoError(t, err)
	s.m.ready = s.m.before
	return s
}

// releaseOf returns a release whose IOCs serve A:X and B:X.
func releaseOf(version string) ledger.Release {
	rec := record.Record{Asset: "bl01t", Version: assettest.Version(version)}
	for _, name := range []string{"a", "b"} {
		rec.Instances = append(rec.Instances, record.Instance{Name: name, Protocol: "ca"})
		rec.Checks = append(rec.Checks, record.Test{
			Name: record.BootTest, Of: name, PVs: []record.PV{{Name: strings.ToUpper(name) + ":X", Type: "ai"}},
		})
	}
	return ledger.Release{Record: rec, Digest: asset.Digest("sha256:" + strings.Repeat(version[:1], 64))}
}

func deployment(name string) *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "bl01t"},
		Spec:       appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: map[string]string{"app": name}}},
		Status:     appsv1.DeploymentStatus{UpdatedReplicas: 1, ReadyReplicas: 1},
	}
}

// podOf returns the pod of an instance, with a container beside its IOC.
func podOf(name string) *corev1.Pod {
	running := corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name + "-1", Namespace: "bl01t", UID: "first", Labels: map[string]string{"app": name},
			OwnerReferences: []metav1.OwnerReference{{Name: name + "-1"}},
		},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "ioc"}, {Name: "beside"}}},
		Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{
			{Name: "ioc", Ready: true, State: running}, {Name: "beside", Ready: true, State: running},
		}},
	}
}

// promote does what a promotion does around its change. After some time of the watch
// a deed is done to the scene.
func (s *scene) promote(after time.Duration, deed func(*scene)) (verified string, err error) {
	s.around(after, deed, func(ctx context.Context, c *change) {
		if verified, err = s.m.watch(ctx, c, s.m.watched(c)); err != nil {
			verified, err = "", s.m.undo(ctx, err)
		}
	})
	return verified, err
}

// rollBack does what a rollback to 1.0.0 does around its change, as promote does.
func (s *scene) rollBack(after time.Duration, deed func(*scene)) (verified string, err error) {
	s.around(after, deed, func(ctx context.Context, c *change) {
		watched := s.m.watched(c)
		_, failed := s.m.finish(c, nil)
		require.NoError(s.t, failed)
		deed := &events.Deed{Entry: ledger.Entry{Did: s.m.did, Version: "1.0.0", From: "2.0.0"}}
		verified, err = s.m.watchRemedy(ctx, c, watched, deed)
		deed.Verified = verified
		s.m.remember(ctx, *deed)
	})
	return verified, err
}

// leave makes the scene one in which 2.0.0 runs and is left for 1.0.0.
func (s *scene) leave() {
	past := s.m.ledger
	to := past.Releases[0]
	now := releaseOf("2.0.0")
	kept := []asset.Digest{to.Digest}
	require.NoError(s.t, pvs.Save(s.t.Context(), s.m.Cluster, now.Digest, pvs.Of(&now.Record), kept))
	past.Push(now)
	s.m.to, s.m.doing, s.m.did, s.m.remedy = to, "rolling back to", "rollback", true
	s.m.settle = func() { past.Return(to) }
}

// around does work, which watches, and after some time of it a deed to the scene.
func (s *scene) around(after time.Duration, deed func(*scene), work func(context.Context, *change)) {
	ctx, stop := context.WithCancel(s.t.Context())
	defer stop()
	held, lose := context.WithCancel(s.t.Context())
	defer lose()
	s.m.held, s.interrupt, s.lose = held, stop, lose
	c := &change{former: map[string]int{"a": 1}}
	s.m.former = s.m.alarmsBefore(ctx, c)
	require.NoError(s.t, s.m.begin(ctx, c))
	s.m.ledger.Underway.Former = nil // there is no Helm here that could put a back
	timer := time.AfterFunc(after, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		deed(s)
	})
	defer timer.Stop()
	work(ctx, c)
}

// answer takes the place of pods.Severities.
func (s *scene) answer(
	ctx context.Context, _ *cluster.Namespace, of pods.State, protocol string, names []string,
) (map[string]string, error) {
	require.Equal(s.t, "ca", protocol)
	s.mu.Lock()
	slow := s.slow
	s.mu.Unlock()
	if err := wait(ctx, slow); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.refused != nil {
		return nil, s.refused
	}
	found := map[string]string{}
	for _, name := range names {
		require.Equal(s.t, of.Instance, strings.ToLower(name[:1]), "each PV is asked of the IOC that serves it")
		if severity, answers := s.severity[name]; answers {
			found[name] = severity
		}
	}
	return found, nil
}

func (s *scene) set(pv, severity string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.severity[pv] = severity
}

func (s *scene) let(refused error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = refused
}

// pod changes the pod of an instance.
func (s *scene) pod(instance string, edit func(*corev1.Pod)) {
	all := s.client.CoreV1().Pods("bl01t")
	p, err := all.Get(s.t.Context(), instance+"-1", metav1.GetOptions{})
	require.NoError(s.t, err)
	edit(p)
	_, err = all.Update(s.t.Context(), p, metav1.UpdateOptions{})
	require.NoError(s.t, err)
}

// restart makes a container one that ended with status 3 and runs again.
func (s *scene) restart(instance, container string) {
	s.pod(instance, func(p *corev1.Pod) {
		for i, c := range p.Status.ContainerStatuses {
			if c.Name == container {
				p.Status.ContainerStatuses[i].RestartCount++
				p.Status.ContainerStatuses[i].LastTerminationState.Terminated =
					&corev1.ContainerStateTerminated{ExitCode: 3}
			}
		}
	})
}

// remove takes the pod of an instance away.
func (s *scene) remove(instance string) {
	require.NoError(s.t, s.client.CoreV1().Pods("bl01t").Delete(
		s.t.Context(), instance+"-1", metav1.DeleteOptions{},
	))
}
