package pods

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	ktest "k8s.io/client-go/testing"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/step"
)

const instance = "bl01t-mo-ioc-01" // of deployment and pod

// memory is a namespace with one Deployment and these pods.
func memory(pods ...corev1.Pod) (*cluster.Namespace, *fake.Clientset) {
	d := deployment()
	d.Namespace = "bl01t"
	client := fake.NewClientset(d)
	for _, p := range pods {
		p.Namespace = "bl01t"
		if err := client.Tracker().Add(&p); err != nil {
			panic(err) // it was just made
		}
	}
	return &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: client}, client
}

// over is a context that ended: what waits looks once and returns.
func over(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

func TestStatesTellOfPodsThatAreNobodys(t *testing.T) {
	stray, pull := pod("stray", running(true)), pod("pull", running(true))
	stray.OwnerReferences, pull.OwnerReferences = nil, nil
	pull.Labels = map[string]string{labelPull: "true"}
	n, _ := memory(pod("a", running(true)), stray, pull)
	states, strays, err := States(t.Context(), n)
	require.NoError(t, err)
	require.Equal(t, "ready", states[instance].Doing)
	require.Equal(t, []string{"stray"}, strays, "what fetches images is none")
}

func TestInstancesAreNamed(t *testing.T) {
	n, _ := memory(pod("a", running(true)))
	s, err := Instance(t.Context(), n, instance)
	require.NoError(t, err)
	require.Equal(t, "a", s.Pod)
	all, err := Instances(t.Context(), n, nil)
	require.NoError(t, err)
	twice, err := Instances(t.Context(), n, []string{instance, instance})
	require.NoError(t, err)
	require.Equal(t, all, twice, "each once")
	_, err = Instance(t.Context(), n, "nosuch")
	require.ErrorContains(
		t, err, "looking for nosuch: bl01t has no such IOC in namespace bl01t; name one of: "+instance,
	)
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	none := &cluster.Namespace{Name: "lab", Beamline: "bl02t", Client: fake.NewClientset()}
	_, err = Instances(t.Context(), none, nil)
	require.EqualError(
		t, err, "looking for the IOCs of bl02t: namespace lab has none; see tagline history bl02t",
	)
	n, _ = memory()
	_, err = Instance(t.Context(), n, instance)
	require.ErrorContains(
		t, err, "looking for "+instance+": it has no pod: waiting for its pod; see tagline status bl01t",
	)
	require.Equal(t, diag.Broken, diag.KindOf(err))
}

func TestWaitReturnsWhenAllAreReady(t *testing.T) {
	n, _ := memory(pod("a", running(true)))
	require.NoError(t, Wait(over(t), n, []string{instance}))
	require.NoError(t, Wait(over(t), n, nil))
}

func TestWaitTellsWhatIsNotReady(t *testing.T) {
	n, client := memory(pod("a", running(false)))
	err := Wait(over(t), n, []string{instance, "gone"})
	require.ErrorContains(t, err, instance+": not ready: started, its PV does not answer yet")
	require.ErrorContains(t, err, "gone: not ready: it has no Deployment of this name")
	var trouble *Trouble
	require.ErrorAs(t, err, &trouble)
	require.Equal(t, []string{"fake logs"}, trouble.Log)

	client.PrependReactor("list", "deployments", func(ktest.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("too slow")
	})
	require.ErrorContains(t, Wait(over(t), n, []string{instance}), "too slow", "it never answered")
}

// One that fails for good is given some time; one that was well meanwhile begins anew.
func TestWhatFailsForLongIsHopeless(t *testing.T) {
	long := time.Now().Add(-patience)
	failing := State{Instance: "a", Doing: "ImagePullBackOff", Failing: true}
	for name, c := range map[string]struct {
		state    State
		since    time.Time
		hopeless bool
	}{
		"for long":           {failing, long, true},
		"since now":          {failing, time.Time{}, false},
		"it waits again":     {State{Instance: "a", Doing: "pulling"}, long, false},
		"it is ready":        {State{Instance: "a", Ready: true, Failing: true}, long, false},
		"it does not answer": {State{Instance: "a", Doing: "started"}, time.Time{}, false},
	} {
		w := watch{shown: map[string]string{}, failing: map[string]time.Time{}}
		if !c.since.IsZero() {
			w.failing["a"] = c.since
		}
		w.look(t.Context(), []string{"a"}, map[string]State{"a": c.state})
		require.Equal(t, c.hopeless, len(w.hopeless) == 1, name)
		require.Equal(t, !c.state.Ready, len(w.late) == 1, name)
		require.Equal(t, c.state.Failing && !c.state.Ready, !w.failing["a"].IsZero(), name)
	}
}

func TestGoneWaitsForEachPod(t *testing.T) {
	n, client := memory(pod("a", running(true)), pod("b", running(true)))
	require.NoError(t, Gone(over(t), n, []string{"c"}))
	require.NoError(t, Gone(over(t), n, nil))
	require.ErrorContains(t, Gone(over(t), n, []string{"a", "c", "b"}), "still there when time ran out: a, b")
	client.PrependReactor("list", "pods", func(ktest.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("too slow")
	})
	require.ErrorContains(t, Gone(over(t), n, []string{"c"}), "c", "an IOC that nobody saw stop may run still")
}

// A pod that never ends is left behind, and said to be; who leaves waits for nothing.
func TestGoneSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n, _ := memory(pod("a", running(true)))
		var said string
		ctx := step.WithSink(t.Context(), func(e step.Event) { said += e.Line })
		require.NoError(t, GoneSoon(ctx, n, []string{"a"}))
		require.Contains(t, said, "their node may be gone: waiting for pods to stop: still there when time ran out: a")
		said = ""
		require.NoError(t, GoneSoon(ctx, n, []string{"b"}))
		require.Empty(t, said)
		require.ErrorIs(t, GoneSoon(over(t), n, []string{"a"}), context.Canceled)
	})
}

func TestEventsAreTheLastOnes(t *testing.T) {
	n, client := memory()
	for i := range 4 {
		e := &corev1.Event{
			ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprint(i), Namespace: "bl01t"}, Reason: "BackOff",
			Message: fmt.Sprintf(" %d ", i), Count: int32(i), LastTimestamp: metav1.Unix(int64(100-i), 0),
		}
		require.NoError(t, client.Tracker().Add(e))
	}
	lines, err := Events(t.Context(), n, "a", "Warning", 3)
	require.NoError(t, err)
	require.Equal(t, []string{"BackOff: 2 (2 times)", "BackOff: 1", "BackOff: 0"}, lines, "oldest first")
	var selector string
	client.PrependReactor("list", "events", func(a ktest.Action) (bool, runtime.Object, error) {
		selector = a.(ktest.ListAction).GetListRestrictions().Fields.String()
		return true, nil, errors.New("too slow")
	})
	_, err = Events(t.Context(), n, "a", "", 3)
	require.ErrorContains(t, err, "reading the events of a: too slow")
	require.Equal(t, "involvedObject.name=a", selector)
	require.Empty(t, Explain(t.Context(), n, State{Instance: "i", Pod: "a"}, err).Events, "the trouble itself counts")
	require.Equal(t, "involvedObject.name=a,type=Warning", selector)
}

// A debugging container that cannot start ends the wait for it.
func TestStartedTellsWhyADebuggerDoesNotRun(t *testing.T) {
	terminated := corev1.ContainerStatus{
		State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 127}},
	}
	for says, c := range map[string]corev1.ContainerStatus{
		"": running(false), "it ended with exit status 127": terminated,
		"ErrImagePull: not found": waiting("ErrImagePull", "not found"),
		"InvalidImageName: bad":   waiting("InvalidImageName", "bad"),
		"context canceled":        waiting("ContainerCreating", ""),
	} {
		p := pod("a", running(true))
		c.Name = "debug-1"
		other := terminated
		other.Name = "debug-0"
		p.Status.EphemeralContainerStatuses = []corev1.ContainerStatus{other, c}
		n, _ := memory(p)
		err := started(over(t), n, State{Instance: instance, Pod: "a"}, "debug-1")
		if says == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, says)
	}
	n, _ := memory()
	require.ErrorContains(t, Debug(t.Context(), n, State{Instance: instance, Pod: "a"}, "x", Terminal{}), "debugging")
}
