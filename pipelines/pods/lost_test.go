package pods

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
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

func TestIsLost(t *testing.T) {
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
		require.Equal(t, c.lost, isLost(&c.pod), name)
	}
}

// While a pod is on a node that is gone, the IOC's state is that of this pod, until the
// cluster has given it up and another runs on a node that is there.
func TestDescribeOfANodeThatIsGone(t *testing.T) {
	ending, now := on("ws012", 1, lost("old")), metav1.NewTime(time.Unix(9, 0))
	ending.DeletionTimestamp = &now
	waits, runs := on("", 2, unschedulable()), on("ws011", 2, pod("new", running(true)))
	starts := on("ws011", 2, pod("new", running(false)))
	for name, c := range map[string]struct {
		pods   []corev1.Pod
		pod    string // whose state it is
		lost   string
		strays []string
	}{
		"it was not given up":        {[]corev1.Pod{on("ws012", 1, lost("old"))}, "old", "ws012", nil},
		"it is to end":               {[]corev1.Pod{ending}, "old", "ws012", nil},
		"nothing takes the next one": {[]corev1.Pod{waits, ending}, "old", "ws012", nil},
		"another runs":               {[]corev1.Pod{runs, ending}, "new", "", []string{"old"}},
		"another starts":             {[]corev1.Pod{starts, ending}, "new", "", []string{"old"}},
	} {
		states, strays := Describe([]appsv1.Deployment{*deployment()}, c.pods)
		s := states["bl01t-mo-ioc-01"]
		require.Equal(t, []string{c.pod, c.lost}, []string{s.Pod, s.Lost}, name)
		require.Equal(t, c.strays, strays, name)
		require.Equal(t, c.lost != "", s.Failing, name)
		require.Equal(t, name == "another runs", s.Ready, name)
		if c.lost != "" {
			require.Equal(t, "node ws012 is gone: whether the IOC still runs there is not known", s.Doing, name)
		}
	}
}
