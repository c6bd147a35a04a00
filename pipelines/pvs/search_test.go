package pvs

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/fake"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	ktest "k8s.io/client-go/testing"

	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// nobodyListens is where commands in the pods of these tests go.
const nobodyListens = "http://127.0.0.1:1"

// client is a cluster in memory that runs no commands in its pods.
type client struct {
	*fake.Clientset
	real kubernetes.Interface
}

func (c client) CoreV1() typedcorev1.CoreV1Interface {
	return core{c.Clientset.CoreV1(), c.real.CoreV1().RESTClient()}
}

type core struct {
	typedcorev1.CoreV1Interface
	commands rest.Interface
}

func (c core) RESTClient() rest.Interface { return c.commands }

// running is a beamline whose release has IOC a, with so many PVs, and a pod.
func running(t *testing.T, beamline string, count int) (ledger.Reached, *fake.Clientset) {
	t.Helper()
	config := &rest.Config{Host: nobodyListens}
	real, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	labels := map[string]string{"app": "a"}
	memory := fake.NewClientset(
		&appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: beamline},
			Spec:       appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}},
		},
		&corev1.Pod{
			ObjectMeta: metav1.ObjectMeta{Name: "a-1", Namespace: beamline, Labels: labels,
				OwnerReferences: []metav1.OwnerReference{{Name: "a-1"}}},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "ioc"}}},
		},
	)
	n := &cluster.Namespace{
		Name: beamline, Beamline: beamline, Client: client{memory, real}, Config: config,
	}
	l := &ledger.Ledger{Releases: []ledger.Release{{Digest: digest("2"), Record: record.Record{
		Version: assettest.Version("2.0"), Instances: []record.Instance{{Name: "a", Protocol: "pva"}},
	}}}}
	require.NoError(t, l.Save(t.Context(), n))
	var all []PV
	for i := range count {
		all = append(all, PV{Instance: "a", Name: fmt.Sprintf("A:%d", i), Type: "ai"})
	}
	require.NoError(t, Save(t.Context(), n, digest("1"), []PV{{"a", "A:FORMER", "ai"}}, nil))
	require.NoError(t, Save(t.Context(), n, digest("2"), all, nil))
	return ledger.Reached{Context: "site", Namespace: n}, memory
}

// A PV is found in the release that runs, though its IOC cannot be asked for it.
func TestSearchTellsWhyAPVDoesNotAnswer(t *testing.T) {
	b, memory := running(t, "bl01t", 1)
	found, err := Search(t.Context(), []ledger.Reached{b}, []string{"A:.*"})
	require.NoError(t, err)
	require.Len(t, found, 1, "PVs of a former release are no longer served")
	require.Contains(t, found[0].Failed, "connection refused")
	found[0].Failed = ""
	require.Equal(t, []Match{{
		PV: PV{Instance: "a", Name: "A:0", Type: "ai"}, Context: "site", Beamline: "bl01t", Version: "2.0",
	}}, found)

	pods := b.Namespace.Client.CoreV1().Pods("bl01t")
	pod, err := pods.Get(t.Context(), "a-1", metav1.GetOptions{})
	require.NoError(t, err)
	pod.Spec.NodeName = "ws011"
	pod.Status.Conditions = []corev1.PodCondition{
		{Type: corev1.ContainersReady, Status: corev1.ConditionTrue},
		{Type: corev1.PodReady, Status: corev1.ConditionFalse},
	}
	_, err = pods.UpdateStatus(t.Context(), pod, metav1.UpdateOptions{})
	require.NoError(t, err)
	found, err = Search(t.Context(), []ledger.Reached{b}, []string{"A:0"})
	require.NoError(t, err)
	require.Contains(t, found[0].Failed, "node ws011 is gone", "nobody would answer for long")

	require.NoError(t, memory.Tracker().Delete(corev1.SchemeGroupVersion.WithResource("pods"), "bl01t", "a-1"))
	found, err = Search(t.Context(), []ledger.Reached{b}, []string{"A:0"})
	require.NoError(t, err)
	require.Equal(t, "its IOC has no pod: waiting for its pod", found[0].Failed)
	require.NoError(t, memory.Tracker().Delete(appsv1.SchemeGroupVersion.WithResource("deployments"), "bl01t", "a"))
	found, err = Search(t.Context(), []ledger.Reached{b}, []string{"A:0"})
	require.NoError(t, err)
	require.Equal(t, "its IOC has no pod", found[0].Failed)
}

// A PV that answers with nothing that can be shown is not called silent, and how to see it
// is said.
func TestSearchShowsAnEmptyAnswer(t *testing.T) {
	b, _ := running(t, "bl01t", 1)
	for protocol, says := range map[string]string{
		"ca":  "an empty text",
		"pva": "an empty text, or a structure: see tagline shell bl01t a, and there pvget A:0",
	} {
		m := Match{PV: PV{Instance: "a", Name: "A:0"}, Beamline: b.Namespace.Beamline}
		m.tell("", pods.ErrEmpty, protocol)
		require.Equal(t, []string{"", says, ""}, []string{m.Value, m.Note, m.Failed})
	}
	var m Match
	m.tell("5", nil, "ca")
	require.Equal(t, Match{Value: "5"}, m)
}

// A search that finds a whole beamline does not ask each of its IOCs thousands of times.
func TestSearchAsksForAFewValuesOnly(t *testing.T) {
	for count, asked := range map[int]bool{mostAsked: true, mostAsked + 1: false} {
		b, _ := running(t, "bl01t", count)
		found, err := Search(t.Context(), []ledger.Reached{b}, []string{"A:.*"})
		require.NoError(t, err)
		require.Len(t, found, count)
		for _, m := range found {
			require.Equal(t, asked, m.Failed != "", "%d PVs", count)
		}
	}
}

// Beamlines that cannot be read do not hide what is found in the others.
func TestSearchGoesOnWithoutABeamline(t *testing.T) {
	good, _ := running(t, "bl01t", 1)
	bad, memory := running(t, "bl02t", 1)
	memory.PrependReactor("list", "configmaps", func(ktest.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("too slow")
	})
	found, err := Search(
		t.Context(), []ledger.Reached{{Context: "down", Err: errors.New("no route")}, bad, good}, []string{"A:0"},
	)
	require.Len(t, found, 1)
	require.Equal(t, "bl01t", found[0].Beamline)
	require.ErrorContains(t, err, "no route")
	require.ErrorContains(t, err, "reading the PVs of bl02t: too slow")
}

func TestSearchWithoutResult(t *testing.T) {
	b, memory := running(t, "bl01t", 1)
	memory.PrependReactor("list", "pods", func(ktest.Action) (bool, runtime.Object, error) {
		t.Error("nothing was found that a pod could be asked for")
		return false, nil, nil
	})
	found, err := Search(t.Context(), []ledger.Reached{b}, []string{"NOBODYS"})
	require.NoError(t, err)
	require.Empty(t, found)
	_, err = Search(t.Context(), []ledger.Reached{b}, []string{"("})
	require.ErrorContains(t, err, "missing closing )")

	empty := &cluster.Namespace{Name: "bl03t", Beamline: "bl03t", Client: fake.NewClientset()}
	found, err = Search(t.Context(), []ledger.Reached{{Namespace: empty}}, []string{".*"})
	require.NoError(t, err, "nothing was promoted yet")
	require.Empty(t, found)
}

// Saved PVs that were spoiled are an error: no result would say that nobody serves them.
func TestPVsThatWereSpoiledAreAnError(t *testing.T) {
	good, err := pack(many(9))
	require.NoError(t, err)
	for name, data := range map[string][]byte{
		"no gzip": []byte("A:X\ta\tai\n"), "cut off": good[:len(good)-9], "empty": {},
	} {
		n := &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: fake.NewClientset(&corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{
				Name: "x", Namespace: "bl01t", Labels: map[string]string{labelPVs: label(digest("1"))},
			},
			BinaryData: map[string][]byte{key: data},
		})}
		_, err := Read(t.Context(), n, digest("1"))
		require.ErrorContains(t, err, "reading the PVs of bl01t", name)
		require.Equal(t, diag.Broken, diag.KindOf(err), name)
	}
}

// What the cluster refuses is told: PVs that were not saved would later be nobody's.
func TestPVsThatCannotBeSavedAreAnError(t *testing.T) {
	for verb, says := range map[string]string{
		"create": "writing the PVs of bl01t", "list": "listing the PVs of bl01t", "delete": "dropping old PVs of bl01t",
	} {
		memory := fake.NewClientset()
		n := &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: memory}
		require.NoError(t, Save(t.Context(), n, digest("1"), many(1), nil))
		memory.PrependReactor(verb, "configmaps", func(ktest.Action) (bool, runtime.Object, error) {
			return true, nil, errors.New("too slow")
		})
		require.ErrorContains(t, Save(t.Context(), n, digest("2"), many(1), nil), says+": too slow")
	}
}
