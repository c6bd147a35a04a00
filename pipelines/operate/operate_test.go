package operate

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// A killed promotion has started what no release names yet, so that removing would
// leave it behind.
func TestNothingIsRemovedHalfWay(t *testing.T) {
	l := running()
	require.NoError(t, unfinished("bl01t", l))
	l.Underway = &ledger.Underway{Version: assettest.Version("1.0.1")}
	err := unfinished("bl01t", l)
	require.ErrorContains(t, err, "a promotion to 1.0.1 began and has not ended")
	require.ErrorContains(t, err, "tagline rollback bl01t")
	require.Equal(t, diag.Refused, diag.KindOf(err))
}

// running is a ledger of a beamline with IOCs a and b.
func running() *ledger.Ledger {
	sum := "sha256:" + strings.Repeat("1", 64)
	inst := func(name string) record.Instance {
		ref := asset.Ref("host/x@" + sum)
		return record.Instance{Name: name, Chart: ref, Image: ref, IOC: assettest.Pin("ioc-simstage 1.0.0")}
	}
	rec := record.Record{
		Kind: asset.Beamline, Asset: "bl01t", Version: assettest.Version("1.0.0"), Tag: assettest.Tag("bl01t/1.0.0"),
		Instances: []record.Instance{inst("a"), inst("b")},
	}
	return &ledger.Ledger{Releases: []ledger.Release{{Record: rec, Digest: asset.Digest(sum)}}}
}

// order is an order to a beamline in memory. Requests under the lock go to a
// cluster that is not there.
func order(t *testing.T) Order {
	t.Helper()
	n := &cluster.Namespace{
		Name: "bl01t", Beamline: "bl01t", Client: fake.NewClientset(),
		Config: &rest.Config{Host: "http://127.0.0.1:1"},
	}
	text, err := json.Marshal(running())
	require.NoError(t, err)
	_, err = n.Client.CoreV1().ConfigMaps("bl01t").Create(t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "tagline", Labels: map[string]string{cluster.LabelBeamline: "bl01t"}},
		Data:       map[string]string{"ledger.json": string(text)},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	return Order{Cluster: n, Reason: "it hangs", Holder: "me", Timeout: time.Minute}
}

func TestAnOrderNeedsAReason(t *testing.T) {
	o := order(t)
	o.Reason = " "
	err := Stop(t.Context(), o)
	require.ErrorContains(t, err, "stop of bl01t: no reason is given; say why with --reason")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
}

func TestAnOrderToAnUnknownBeamlineIsRefused(t *testing.T) {
	o := order(t)
	o.Cluster.Name, o.Cluster.Beamline = "bl02t", "bl02t"
	require.ErrorContains(
		t, Restart(t.Context(), o), "nothing was ever promoted to namespace bl02t; name one of: bl01t",
	)
}

func TestChoose(t *testing.T) {
	all, err := choose("bl01t", running(), nil)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, all)
	one, err := choose("bl01t", running(), []string{"b"})
	require.NoError(t, err)
	require.Equal(t, []string{"b"}, one)
	_, err = choose("bl01t", running(), []string{"b", "c"})
	require.ErrorContains(t, err, "looking for c: bl01t has no such IOC; name one of: a, b")
	_, err = choose("bl01t", &ledger.Ledger{}, []string{"b"})
	require.ErrorContains(t, err, "bl01t has no such IOC; its release has none at all: see tagline status bl01t")
	none, err := choose("bl01t", &ledger.Ledger{}, nil)
	require.NoError(t, err)
	require.Empty(t, none)
}

// What is set beside the release is written before the cluster is changed, and an
// instance for which nothing is set leaves no trace.
func TestSetIsSaved(t *testing.T) {
	o := order(t)
	l, err := ledger.Read(t.Context(), o.Cluster)
	require.NoError(t, err)
	o.Instances = []string{"a"}
	l.Underway = &ledger.Underway{Stopped: map[string]*ledger.Note{"a": nil, "b": nil}}
	require.NoError(t, o.setStopped(t.Context(), l, &ledger.Note{By: "me"}))
	require.Equal(t, map[string]*ledger.Note{"b": nil}, l.Underway.Stopped, "a person has the last word")
	saved, err := ledger.Read(t.Context(), o.Cluster)
	require.NoError(t, err)
	require.Equal(t, "me", saved.Overrides["a"].Stopped.By)
	require.NoError(t, o.setStopped(t.Context(), l, nil))
	saved, err = ledger.Read(t.Context(), o.Cluster)
	require.NoError(t, err)
	require.Empty(t, saved.Overrides)
}

func TestScale(t *testing.T) {
	o := order(t)
	one := int32(1)
	deployments := o.Cluster.Client.AppsV1().Deployments("bl01t")
	_, err := deployments.Create(
		t.Context(),
		&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: appsv1.DeploymentSpec{Replicas: &one}},
		metav1.CreateOptions{},
	)
	require.NoError(t, err)
	o.Instances = []string{"a"}
	require.NoError(t, o.scale(t.Context(), 0))
	d, err := deployments.Get(t.Context(), "a", metav1.GetOptions{})
	require.NoError(t, err)
	require.Zero(t, *d.Spec.Replicas)
	o.Instances = []string{"a", "gone"}
	require.ErrorContains(t, o.scale(t.Context(), 1), "scaling gone")
}

func TestTheHistorySaysWhatWasDone(t *testing.T) {
	o := order(t)
	o.Instances = []string{"a", "b"}
	o.remember(t.Context(), "restart", false, nil)
	o.remember(t.Context(), "stop", true, diag.Invalidf("", 0, "", "it hangs"))
	entries, err := ledger.Entries(t.Context(), o.Cluster)
	require.NoError(t, err)
	require.Len(t, entries, 3)
	require.Equal(t, "stop", entries[0].Did)
	require.Empty(t, entries[0].Instance, "the whole beamline")
	require.Equal(t, "it hangs", entries[0].Failed)
	require.Equal(t, []string{"b", "a"}, []string{entries[1].Instance, entries[2].Instance})
}

func TestANodeThatIsNotReadyIsRefused(t *testing.T) {
	known := []corev1.Node{thatIs("ws011", corev1.ConditionUnknown), thatIs("ws012", corev1.ConditionTrue)}
	require.NoError(t, there(known, "ws012"))
	require.NoError(t, there(known, ""), "the chart decides")
	for _, name := range []string{"ws011", "nosuch"} {
		err := there(known, name)
		require.ErrorContains(t, err, "looking for node "+name+": no node of this name is ready; name one of: ws012")
	}
}

// thatIs is a node of which the cluster says whether it is ready.
func thatIs(name string, ready corev1.ConditionStatus) corev1.Node {
	return corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name}, Status: corev1.NodeStatus{
		Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: ready}},
	}}
}

func TestAnIOCThatWasRemovedIsForgotten(t *testing.T) {
	l := running()
	l.Override("a", ledger.Override{Node: "ws012"})
	Order{Instances: []string{"a"}}.forget(l)
	require.Len(t, l.Current().Record.Instances, 1)
	require.Equal(t, "b", l.Current().Record.Instances[0].Name)
	require.Empty(t, l.Overrides)
}

func TestImagesOnANode(t *testing.T) {
	require.Len(t, imagesOn(running(), []string{"a", "b"}, "ws012"), 1, "each image once")
	require.Empty(t, imagesOn(running(), []string{"a"}, ""))
}
