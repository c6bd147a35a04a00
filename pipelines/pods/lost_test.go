package pods

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

// says gives a pod conditions, as its kubelet or the cluster writes them.
func says(p corev1.Pod, containers, ready corev1.ConditionStatus, why string) corev1.Pod {
	p.Status.Conditions = []corev1.PodCondition{
		{Type: corev1.PodReady, Status: ready, Reason: why}, {Type: corev1.ContainersReady, Status: containers},
	}
	return p
}

// on puts a pod on a node; a larger age is younger.
func on(node string, age int64, p corev1.Pod) corev1.Pod {
	p.Spec.NodeName, p.CreationTimestamp = node, metav1.Unix(age, 0)
	return p
}

// lost is a pod that was ready until its node went.
func lost(name string) corev1.Pod {
	return says(pod(name, running(true)), corev1.ConditionTrue, corev1.ConditionFalse, "")
}

func TestThatAPodTells(t *testing.T) {
	p, ready, no := pod("a", running(true)), corev1.ConditionTrue, corev1.ConditionFalse
	for name, c := range map[string]struct {
		pod  corev1.Pod
		lost bool
	}{
		"its node is gone":          {lost("a"), true},
		"it is ready":               {says(p, ready, ready, ""), false},
		"it says nothing yet":       {p, false},
		"it is not ready":           {says(p, no, no, "ContainersNotReady"), false},
		"something else is awaited": {says(p, ready, no, "ReadinessGatesNotReady"), false},
	} {
		require.Equal(t, c.lost, tells(&c.pod), name)
	}
}

// dead is a pod that was not ready when its node went: it says what it said then.
func dead(name string) corev1.Pod {
	return says(pod(name, crashed(4, corev1.ContainerStateTerminated{ExitCode: 1})),
		corev1.ConditionFalse, corev1.ConditionFalse, "ContainersNotReady")
}

// forbidden is what the cluster answers who may not look at nodes.
var forbidden = apierrors.NewForbidden(corev1.Resource("nodes"), "ws012", nil)

// While a pod is on a node that is gone, the IOC's state is that of this pod, until the
// cluster has given it up and another runs on a node that is there. So it is of one that
// was not ready before, where the node is known to be gone.
func TestDescribeOfANodeThatIsGone(t *testing.T) {
	waits, runs := on("", 2, unschedulable()), on("ws011", 2, pod("new", running(true)))
	starts, now := on("ws011", 2, pod("new", running(false))), metav1.NewTime(time.Unix(9, 0))
	for was, c := range map[string]struct {
		old   corev1.Pod
		known map[string]bool
	}{
		"ready":     {lost("old"), nil},
		"not ready": {dead("old"), map[string]bool{"ws012": true}},
	} {
		there := on("ws012", 1, c.old)
		ending := *there.DeepCopy()
		ending.DeletionTimestamp = &now
		known := c.known
		for name, c := range map[string]struct {
			pods   []corev1.Pod
			pod    string // whose state it is
			lost   string
			strays []string
		}{
			"it was not given up":        {[]corev1.Pod{there}, "old", "ws012", nil},
			"it is to end":               {[]corev1.Pod{ending}, "old", "ws012", nil},
			"nothing takes the next one": {[]corev1.Pod{waits, ending}, "old", "ws012", nil},
			"another runs":               {[]corev1.Pod{runs, ending}, "new", "", []string{"old"}},
			"another starts":             {[]corev1.Pod{starts, ending}, "new", "", []string{"old"}},
		} {
			states, strays := Describe([]appsv1.Deployment{*deployment()}, c.pods, Away{Gone: known})
			s, name := states["bl01t-mo-ioc-01"], was+": "+name
			require.Equal(t, []string{c.pod, c.lost}, []string{s.Pod, s.Lost}, name)
			require.Equal(t, c.strays, strays, name)
			require.Equal(t, c.lost != "", s.Failing, name)
			require.Equal(t, strings.HasSuffix(name, "another runs"), s.Ready, name)
			if c.lost != "" {
				require.Equal(t, "node ws012 is gone: whether the IOC still runs there is not known", s.Doing, name)
			}
		}
	}
}

// A pod that was ready tells of those beside it that were not.
func TestDescribeOfAPodBesideOneThatTells(t *testing.T) {
	other := on("ws012", 1, lost("other"))
	other.OwnerReferences[0].Name = "bl01t-ea-ioc-01-7d9"
	states, _ := Describe([]appsv1.Deployment{*deployment()}, []corev1.Pod{on("ws012", 1, dead("old")), other}, Away{})
	require.Equal(t, "ws012", states["bl01t-mo-ioc-01"].Lost)
	states, _ = Describe([]appsv1.Deployment{*deployment()}, []corev1.Pod{on("ws011", 1, dead("old")), other}, Away{})
	require.Empty(t, states["bl01t-mo-ioc-01"].Lost, "it is on another node")
}

func TestNodesAway(t *testing.T) {
	ready := says(pod("a", running(true)), corev1.ConditionTrue, corev1.ConditionTrue, "")
	on12 := func(pods ...corev1.Pod) (all []corev1.Pod) {
		for _, p := range pods {
			all = append(all, on("ws012", 1, p))
		}
		return all
	}
	for name, c := range map[string]struct {
		pods  []corev1.Pod
		node  corev1.ConditionStatus // of ws012: empty where there is no such node
		err   error                  // what who looks at it is answered
		asked int
		gone  bool
		says  string
	}{
		"nothing is silent":      {on12(ready), corev1.ConditionTrue, nil, 0, false, ""},
		"an IOC is dead":         {on12(dead("a"), dead("b")), corev1.ConditionTrue, nil, 1, false, ""},
		"the node is ill":        {on12(dead("a")), corev1.ConditionFalse, nil, 1, false, ""},
		"the node is gone":       {on12(ready, dead("a"), dead("b")), corev1.ConditionUnknown, nil, 1, true, ""},
		"a pod tells":            {on12(dead("a"), lost("b")), corev1.ConditionUnknown, nil, 0, true, ""},
		"the node was taken out": {on12(dead("a")), "", nil, 1, false, ""},
		"it waits for a node":    {[]corev1.Pod{on("", 1, unschedulable())}, corev1.ConditionTrue, nil, 0, false, ""},
		"not everybody may look": {on12(dead("a")), "", forbidden, 1, false, ""},
		"the cluster is disturbed": {on12(dead("a")), "", errors.New("etcd timed out"), 1, false,
			"looking at node ws012: etcd timed out"},
	} {
		t.Run(name, func(t *testing.T) {
			client, asked := fake.NewClientset(), 0
			if c.node != "" {
				client = fake.NewClientset(&corev1.Node{
					ObjectMeta: metav1.ObjectMeta{Name: "ws012"}, Status: corev1.NodeStatus{
						Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: c.node}},
					},
				})
			}
			client.PrependReactor("get", "nodes", func(clienttesting.Action) (bool, runtime.Object, error) {
				asked++
				return c.err != nil, nil, c.err
			})
			away, err := NodesAway(t.Context(), &cluster.Namespace{Client: client}, c.pods)
			require.Equal(t, c.asked, asked)
			require.Equal(t, c.gone, away.Gone["ws012"])
			require.Empty(t, away.Silent, "what is known, or answers, is in no doubt")
			if c.says == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.says)
			}
		})
	}
}
