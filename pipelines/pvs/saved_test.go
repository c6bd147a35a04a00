package pvs

import (
	"errors"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	ktest "k8s.io/client-go/testing"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// namespace is one in memory with these objects.
func namespace(objects ...runtime.Object) (*cluster.Namespace, *fake.Clientset) {
	memory := fake.NewClientset(objects...)
	return &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: memory}, memory
}

// What the boots of a release saw is saved in ConfigMaps of the beamline that a release
// can be told by, and is found again as it was.
func TestSavedPVsAreFound(t *testing.T) {
	n, _ := namespace(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "tagline", Namespace: "bl01t"}})
	rec := &record.Record{Checks: []record.Test{
		{Name: record.BootTest, Of: "bl01t-a", PVs: []record.PV{
			{Name: "A:X", Type: "ai"}, {Name: "A:Y.Z[0]", Type: "motor"},
		}},
		{Name: record.SmokeTest, Of: "ioc-a", PVs: []record.PV{{Name: "A:X", Type: "ao"}}},
		{Name: record.BootTest, Of: "bl01t-b"},
		{Name: record.BootTest, Of: "bl01t-c", PVs: []record.PV{{Name: "C:<>;+", Type: "lsi"}}},
	}}
	all := Of(rec)
	require.Len(t, all, 3)
	require.NoError(t, Save(t.Context(), n, digest("a"), all, nil))
	lines, err := Read(t.Context(), n, digest("a"))
	require.NoError(t, err)
	found, err := Find(lines, []string{".*"})
	require.NoError(t, err)
	require.Equal(t, all, found)
	maps, err := n.Client.CoreV1().ConfigMaps("bl01t").List(t.Context(), metav1.ListOptions{LabelSelector: labelPVs})
	require.NoError(t, err)
	require.Len(t, maps.Items, 1)
	require.Equal(t, "tagline-pvs-aaaaaaaaaaaa-0", maps.Items[0].Name)
	require.Equal(t, map[string]string{
		labelPVs: strings.Repeat("a", 63), cluster.LabelBeamline: "bl01t",
	}, maps.Items[0].Labels, "a label has at most 63 letters")
	require.NoError(t, Save(t.Context(), n, digest("b"), nil, nil), "a release without PVs")
	maps, err = n.Client.CoreV1().ConfigMaps("bl01t").List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.Len(t, maps.Items, 1, "what is not ours stays")
	require.Equal(t, "tagline", maps.Items[0].Name)
	require.Empty(t, label("sha256"), "what is no digest names no release")
}

// Whoever dropped what we want to drop did no harm; what is dropped can't be kept.
func TestPVsThatSomebodyElseDropped(t *testing.T) {
	n, memory := namespace()
	require.NoError(t, Save(t.Context(), n, digest("1"), many(1), nil))
	refused := apierrors.NewNotFound(corev1.Resource("configmaps"), "x")
	memory.PrependReactor("delete", "configmaps", func(ktest.Action) (bool, runtime.Object, error) {
		return true, nil, refused
	})
	require.NoError(t, Save(t.Context(), n, digest("2"), many(1), nil))
	refused = apierrors.NewForbidden(corev1.Resource("configmaps"), "x", errors.New("by a role"))
	require.ErrorContains(t, Save(t.Context(), n, digest("3"), many(1), nil), "dropping old PVs of bl01t: ")
	kept := []asset.Digest{digest("1"), digest("2")}
	require.NoError(t, Save(t.Context(), n, digest("3"), many(1), kept), "nothing is dropped")
	require.Equal(t, []asset.Digest{digest("1"), digest("2")}, kept, "the list is the caller's")
}

// A pattern is one whatever stands beside it, and matches whole names only.
func TestPatternsDoNotMix(t *testing.T) {
	const lines = "A:X\ta\tai\nAB\ta\tai\nB\tb\tbi\nno tabs\nC\tc\n"
	for _, c := range []struct {
		patterns []string
		want     []PV
	}{
		{[]string{"A|B"}, []PV{{"b", "B", "bi"}}},
		{[]string{"A", "B"}, []PV{{"b", "B", "bi"}}},
		{[]string{"(?i)ab"}, []PV{{"a", "AB", "ai"}}},
		{[]string{"b", "(?i)c"}, []PV{{"c", "C", ""}}},
		{[]string{"B$"}, []PV{{"b", "B", "bi"}}},
		{[]string{""}, nil},
		{nil, nil},
	} {
		found, err := Find(lines, c.patterns)
		require.NoError(t, err)
		require.Equal(t, c.want, found, "%q", c.patterns)
	}
}

// FuzzFind: each PV that was saved is found by its own name, and by no other.
func FuzzFind(f *testing.F) {
	f.Add("A:X", "bl01t-a", "ai")
	f.Add("A.*[", "", "(")
	f.Fuzz(func(t *testing.T, name, instance, kind string) {
		if strings.ContainsAny(name+instance+kind, "\t\n\r") || name == "" || !utf8.ValidString(name) {
			return // as no record, folder or type is called
		}
		n, _ := namespace()
		all := []PV{{instance, name, kind}, {instance, name + "x", kind}}
		require.NoError(t, Save(t.Context(), n, digest("1"), all, nil))
		lines, err := Read(t.Context(), n, digest("1"))
		require.NoError(t, err)
		found, err := Find(lines, []string{regexp.QuoteMeta(name)})
		require.NoError(t, err)
		require.Equal(t, all[:1], found)
	})
}
