package page

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	metadatafake "k8s.io/client-go/metadata/fake"
	"k8s.io/client-go/rest"
	clienttesting "k8s.io/client-go/testing"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pvs"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/status"
)

// line is a beamline of a test, in a cluster of its own that stands in.
type line struct {
	t        *testing.T
	n        *cluster.Namespace
	client   *fake.Clientset
	metadata *metadatafake.FakeMetadataClient
	context  string
	drift    map[string][]string // by instance
	down     atomic.Bool         // the cluster answers nothing
}

var started = time.Now().Add(-3 * time.Hour).Truncate(time.Second)

// newLine returns a beamline whose IOCs are all well.
func newLine(t *testing.T, beamline string, iocs ...string) *line {
	t.Helper()
	scheme := metadatafake.NewTestScheme()
	require.NoError(t, metav1.AddMetaToScheme(scheme))
	l := &line{
		t: t, client: fake.NewClientset(), metadata: metadatafake.NewSimpleMetadataClient(scheme), context: "site",
	}
	l.n = &cluster.Namespace{
		Name: beamline, Beamline: beamline, Client: l.client, Metadata: l.metadata,
		Config: &rest.Config{Host: "https://" + beamline},
	}
	refuse := func(clienttesting.Action) (bool, runtime.Object, error) {
		if l.down.Load() {
			return true, nil, errors.New("no route to host")
		}
		return false, nil, nil
	}
	l.client.PrependReactor("*", "*", refuse)
	l.metadata.PrependReactor("*", "*", refuse)
	rec := record.Record{
		Asset: asset.Name(beamline), Version: assettest.Version("2026.11.2"),
		Tag: assettest.Tag(beamline + "/2026.11.2"),
	}
	for _, name := range iocs {
		rec.Instances = append(rec.Instances, record.Instance{
			Name: name, IOC: assettest.Pin("ioc-simstage 1.0.0"),
			Chart: asset.Ref("host/charts/x@sha256:" + strings.Repeat("1", 64)),
		})
		l.add(name)
	}
	ran := &ledger.Ledger{}
	ran.Push(ledger.Release{Record: rec, Digest: digest("a"), Since: started})
	require.NoError(t, ran.Save(t.Context(), l.n))
	require.NoError(t, ledger.Append(t.Context(), l.n,
		ledger.Entry{Time: started, By: "ada on ws011", Did: "promote", Version: "2026.11.2"}))
	return l
}

func digest(digit string) asset.Digest { return asset.Digest("sha256:" + strings.Repeat(digit, 64)) }

// add brings an IOC up.
func (l *line) add(name string) {
	labels, one := map[string]string{"app": name}, int32(1)
	_, err := l.client.AppsV1().Deployments(l.n.Name).Create(l.t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: l.n.Name, Generation: 1},
		Spec:       appsv1.DeploymentSpec{Replicas: &one, Selector: &metav1.LabelSelector{MatchLabels: labels}},
		Status:     appsv1.DeploymentStatus{ObservedGeneration: 1, UpdatedReplicas: 1, ReadyReplicas: 1},
	}, metav1.CreateOptions{})
	require.NoError(l.t, err)
	_, err = l.client.CoreV1().Pods(l.n.Name).Create(l.t.Context(), &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name + "-x", Namespace: l.n.Name, Labels: labels,
			OwnerReferences: []metav1.OwnerReference{{Kind: "ReplicaSet", Name: name + "-1"}},
		},
		Spec: corev1.PodSpec{
			NodeName: "ws011", Containers: []corev1.Container{{Name: "ioc", Image: "host/ioc@" + string(digest("7"))}},
		},
		Status: corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{{
			Name: "ioc", Ready: true,
			State: corev1.ContainerState{Running: &corev1.ContainerStateRunning{StartedAt: metav1.NewTime(started)}},
		}}},
	}, metav1.CreateOptions{})
	require.NoError(l.t, err)
	kind := corev1.SchemeGroupVersion.WithResource("secrets")
	secrets := l.metadata.Resource(kind).Namespace(l.n.Name).(metadatafake.MetadataClient)
	_, err = secrets.CreateFake(&metav1.PartialObjectMetadata{
		TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"},
		ObjectMeta: metav1.ObjectMeta{Name: name + ".v1", Namespace: l.n.Name, Labels: map[string]string{
			"owner": "helm", "name": name, "version": "1", "status": "deployed", "tagline.beamline": l.n.Beamline,
			"tagline.version": "2026.11.2", "tagline.chart": strings.Repeat("1", 63),
		}},
	}, metav1.CreateOptions{})
	require.NoError(l.t, err)
}

// die lets an IOC end and wait for its next start.
func (l *line) die(name string, restarts int32) {
	l.t.Helper()
	pods := l.client.CoreV1().Pods(l.n.Name)
	p, err := pods.Get(l.t.Context(), name+"-x", metav1.GetOptions{})
	require.NoError(l.t, err)
	p.Status.ContainerStatuses[0] = corev1.ContainerStatus{
		Name: "ioc", RestartCount: restarts,
		State:                corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}},
		LastTerminationState: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 139}},
	}
	_, err = pods.UpdateStatus(l.t.Context(), p, metav1.UpdateOptions{})
	require.NoError(l.t, err)
}

// serve follows beamlines until the test ends, and returns the address of their page.
func serve(t *testing.T, lines ...*line) (address string, board *Board) {
	t.Helper()
	reach := func(context.Context) ([]ledger.Reached, error) {
		var found []ledger.Reached
		for _, l := range lines {
			found = append(found, ledger.Reached{Context: l.context, Namespace: l.n})
		}
		return found, nil
	}
	return serveReached(t, reach, lines...)
}

func serveReached(t *testing.T, reach Reach, lines ...*line) (address string, board *Board) {
	t.Helper()
	board = NewBoard(nil)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- board.watch(ctx, reach, func(ctx context.Context, b *Board, at place, found ledger.Reached) {
			newScribe(b, at, found, func(_ context.Context, _ status.Facts, instance string) ([]string, error) {
				for _, l := range lines {
					if l.n == found.Namespace {
						return l.drift[instance], nil
					}
				}
				return nil, nil
			}).run(ctx)
		})
	}()
	server := httptest.NewServer(nil)
	server.Config.Handler = NewServer(board, server.Listener.Addr())
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL, board
}

// get returns what the page answers.
func get(t *testing.T, address string, headers ...string) (code int, header http.Header, body string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	require.NoError(t, err)
	for i := 0; i < len(headers); i += 2 {
		if r.Header.Set(headers[i], headers[i+1]); headers[i] == "Host" {
			r.Host = headers[i+1]
		}
	}
	answer, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	require.NoError(t, err)
	return answer.StatusCode, answer.Header, string(text)
}

// until waits until a view satisfies a condition, and returns it.
func until(t *testing.T, b *Board, query string, what string, ok func(*View) bool) *View {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, "/?"+query, nil)
	f, err := ParseFilter(r.URL.Query())
	require.NoError(t, err)
	var last *View
	require.Eventually(t, func() bool {
		last = b.View(t.Context(), f, time.Now())
		return ok(last)
	}, time.Minute, 20*time.Millisecond, what)
	return last
}

// settled reports whether everything was read and compared.
func settled(count int) func(*View) bool {
	return func(v *View) bool {
		for _, l := range v.Beamlines {
			if l.Failed != "" || l.Comparing {
				return false
			}
		}
		return len(v.Beamlines) == count
	}
}

// rows returns what a view shows: beamlines with their states, and IOCs.
func rows(v *View) (all []string) {
	for _, l := range v.Beamlines {
		all = append(all, fmt.Sprintf("%s %s", l.title(), l.Level))
		for _, i := range l.Instances {
			all = append(all, fmt.Sprintf("  %s %s", i.Name, i.Level))
		}
	}
	return all
}

func savePVs(t *testing.T, l *line, all ...pvs.PV) {
	t.Helper()
	require.NoError(t, pvs.Save(t.Context(), l.n, digest("a"), all, nil))
}

var anyAddress = &net.TCPAddr{IP: net.IPv4zero, Port: 80}

// A page that may not read a beamline says what to do about it.
func TestForbiddenNamesTheRole(t *testing.T) {
	m := &mirror{n: &cluster.Namespace{Name: "bl01t"}, changed: func() {}, failures: map[string]string{}}
	m.note(t.Context(), "pods", apierrors.NewForbidden(corev1.Resource("pods"), "", errors.New("no")))
	require.Equal(t, "reading pods: pods is forbidden: no; "+
		"bind the role tagline-looking of namespace bl01t to the user that serves the page", m.failed())
}
