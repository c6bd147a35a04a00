package pods

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/cluster/clustertest"
)

// said is what a cluster answers, with a code.
func said(code int32, message string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{Code: code, Message: message}}
}

// Whatever a node says shows that it is there. That nobody reached it is said by the cluster.
func TestUnreached(t *testing.T) {
	const asked = `Get "https://10.1.2.3:10250/containerLogs/bl01t/a-1/ioc?tailLines=1": `
	for name, c := range map[string]struct {
		err       error
		unreached bool
	}{
		"it is off":             {said(500, asked+"dial tcp 10.1.2.3:10250: connect: no route to host"), true},
		"its kubelet is down":   {said(500, asked+"dial tcp 10.1.2.3:10250: connect: connection refused"), true},
		"there is no way to":    {said(500, asked+"No agent available"), true},
		"its certificate":       {said(500, asked+"tls: failed to verify certificate: x509: it has expired"), false},
		"it gave the line":      {nil, false},
		"it has not started":    {said(400, `container "ioc" in pod "a-1" is waiting to start`), false},
		"the cluster is ill":    {said(500, "etcdserver: request timed out"), false},
		"nobody may ask":        {said(403, `pods "a-1" is forbidden`), false},
		"the cluster is silent": {errors.New("dial tcp 10.1.2.1:6443: connect: connection refused"), false},
	} {
		require.Equal(t, c.unreached, unreached(c.err), name)
	}
}

// onHiddenNode is a cluster with a dead IOC on node ws012, which nobody may look at.
func onHiddenNode(t *testing.T) (*clustertest.Server, *cluster.Namespace, corev1.Pod) {
	p := on("ws012", 1, dead("a"))
	p.Namespace = "bl01t"
	s := clustertest.New(t, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "ws012"}}, &p)
	s.Refuse("GET nodes/")
	return s, s.Namespace(t, "bl01t"), p
}

// Who may not look at nodes is told of an IOC that was not ready that its node may be gone,
// what it did last, and by which right it would be known.
func TestANodeThatMayNotBeLookedAt(t *testing.T) {
	s, n, p := onHiddenNode(t)
	away, err := NodesAway(t.Context(), n, []corev1.Pod{p})
	require.NoError(t, err)
	require.Equal(t, Away{Gone: map[string]bool{}, Silent: map[string]bool{}}, away, "it answers")
	s.Lose("ws012")
	away, err = NodesAway(t.Context(), n, []corev1.Pod{p})
	require.NoError(t, err)
	require.Equal(t, Away{Gone: map[string]bool{}, Silent: map[string]bool{"ws012": true}}, away)
	states, _ := Describe([]appsv1.Deployment{*deployment()}, []corev1.Pod{p}, away)
	require.Equal(t, "ws012", states[instance].Silent)
	require.True(t, states[instance].IsAway())
	require.Equal(t, "ended 4 times, last with exit status 1; its node ws012 does not answer and may be gone: "+
		"with nodes=true in the roles you would be told", states[instance].Doing)
}

// A node may fall silent while its IOC is waited for, and come back.
func TestANodeThatFallsSilentDuringAWait(t *testing.T) {
	s, n, p := onHiddenNode(t)
	s.Lose("ws012")
	nodes := awaited{asked: time.Now()}
	look := func() map[string]bool {
		away, err := nodes.away(t.Context(), n, []corev1.Pod{p})
		require.NoError(t, err)
		return away.Silent
	}
	require.Empty(t, look(), "it was asked just before the wait")
	nodes.asked = time.Now().Add(-askEvery)
	require.Equal(t, map[string]bool{"ws012": true}, look())
	require.WithinDuration(t, time.Now(), nodes.asked, askEvery/2, "it is not asked each time")
	require.Equal(t, map[string]bool{"ws012": true}, look(), "what it did not answer stays")
	p = says(on("ws012", 1, pod("a", running(true))), corev1.ConditionTrue, corev1.ConditionTrue, "")
	require.Empty(t, look(), "its IOC is ready")
}

// A node whose other IOCs are ready raises no doubt in them; what is to end there keeps the
// next pod from running, and is what is told.
func TestDescribeOfANodeThatDoesNotAnswer(t *testing.T) {
	now := metav1.NewTime(time.Unix(9, 0))
	there := on("ws012", 1, dead("old"))
	ending := *there.DeepCopy()
	ending.DeletionTimestamp = &now
	waits, runs := on("", 2, unschedulable()), on("ws011", 2, pod("new", running(true)))
	for name, c := range map[string]struct {
		pods   []corev1.Pod
		pod    string
		silent bool
		doing  string
	}{
		"it is ready":             {[]corev1.Pod{on("ws012", 1, pod("old", running(true)))}, "old", false, "ready"},
		"it is dead":              {[]corev1.Pod{there}, "old", true, "ended 4 times, last with exit status 1"},
		"it is to end":            {[]corev1.Pod{ending}, "old", true, "stopping the former IOC"},
		"the next one waits":      {[]corev1.Pod{waits, ending}, "old", true, "stopping the former IOC"},
		"the next runs elsewhere": {[]corev1.Pod{runs, ending}, "old", true, "stop"},
		"it is on another node":   {[]corev1.Pod{on("ws011", 1, dead("old"))}, "old", false, "ended 4 times"},
	} {
		away := Away{Silent: map[string]bool{"ws012": true}}
		states, strays := Describe([]appsv1.Deployment{*deployment()}, c.pods, away)
		s := states[instance]
		require.Equal(t, []any{c.pod, c.silent}, []any{s.Pod, s.Silent != ""}, name)
		require.True(t, strings.HasPrefix(s.Doing, c.doing), "%s: %s", name, s.Doing)
		require.Equal(t, c.silent, strings.Contains(s.Doing, "may be gone"), name)
		require.Empty(t, strays, name)
	}
}

// A node that takes too long does not answer. When the person left meanwhile, nothing is
// known of it.
func TestANodeThatTakesTooLong(t *testing.T) {
	never := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-never }))
	defer server.Close()
	defer close(never)
	file := t.TempDir() + "/kubeconfig"
	text := "apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts: [{name: x, context: {cluster: x}}]\n" +
		"clusters: [{name: x, cluster: {server: '" + server.URL + "'}}]\n"
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	n, err := cluster.Open(cluster.Access{Kubeconfig: file}, "bl01t", "bl01t")
	require.NoError(t, err)
	pods := []corev1.Pod{on("ws012", 1, dead("a")), on("ws013", 1, dead("b"))}
	require.Equal(t, map[string]bool{"ws012": true, "ws013": true}, silent(t.Context(), n, pods))
	left, leave := context.WithCancel(t.Context())
	leave()
	require.Empty(t, silent(left, n, pods))
}
