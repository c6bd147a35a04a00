package ledger

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	ktest "k8s.io/client-go/testing"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// give acknowledges troubles of IOCs, each until a time.
func give(until time.Time, instances ...string) func(map[string]Acknowledgement) {
	return func(all map[string]Acknowledgement) {
		for _, name := range instances {
			all[name] = Acknowledgement{Note: Note{By: "ada", Reason: "cable is ordered"}, Until: until, Trouble: dead}
		}
	}
}

// names returns what is acknowledged, sorted.
func names(t *testing.T, n *cluster.Namespace) []string {
	t.Helper()
	all, err := Acknowledged(t.Context(), n)
	require.NoError(t, err)
	return slices.Sorted(maps.Keys(all))
}

func TestAcknowledgementsAreKept(t *testing.T) {
	client := fake.NewClientset()
	n := &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: client}
	require.Empty(t, names(t, n))
	require.NoError(t, Acknowledge(t.Context(), n, func(map[string]Acknowledgement) {}))
	require.NoError(t, KeepAcknowledged(t.Context(), n, nil, three))
	for _, a := range client.Actions() {
		require.Equal(t, "get", a.GetVerb(), "nothing is written where nothing changes")
	}

	require.NoError(t, Acknowledge(t.Context(), n, give(three, "a", "b")))
	require.NoError(t, Acknowledge(t.Context(), n, give(three.Add(time.Hour), "c")))
	all, err := Acknowledged(t.Context(), n)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "c"}, names(t, n))
	require.Equal(t, "ada", all["a"].By)
	require.True(t, all["a"].Holds(dead, three.Add(-time.Second)))

	require.NoError(t, KeepAcknowledged(t.Context(), n, []string{"a", "c"}, three.Add(-time.Second)))
	require.Equal(t, []string{"a", "c"}, names(t, n), "of an IOC that is gone, none stays")
	require.NoError(t, KeepAcknowledged(t.Context(), n, []string{"a", "c"}, three))
	require.Equal(t, []string{"c"}, names(t, n), "nor one that is over")
}

func TestALongReasonIsCut(t *testing.T) {
	n := &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: fake.NewClientset()}
	require.NoError(t, Acknowledge(t.Context(), n, func(all map[string]Acknowledgement) {
		all["a"] = Acknowledgement{Note: Note{Reason: strings.Repeat("x", 2*longestText)}}
	}))
	all, err := Acknowledged(t.Context(), n)
	require.NoError(t, err)
	require.Less(t, len(all["a"].Reason), longestText+10)
}

// Two who acknowledge at once both do.
func TestAcknowledgingAtOnce(t *testing.T) {
	client := fake.NewClientset()
	n := &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: client}
	require.NoError(t, Acknowledge(t.Context(), n, give(three, "a")))
	refused := 0
	client.PrependReactor("update", "configmaps", func(ktest.Action) (bool, runtime.Object, error) {
		if refused++; refused > 1 {
			return false, nil, nil
		}
		return true, nil, apierrors.NewConflict(corev1.Resource("configmaps"), AcknowledgedName, errors.New("changed"))
	})
	require.NoError(t, Acknowledge(t.Context(), n, give(three, "b")))
	require.Equal(t, []string{"a", "b"}, names(t, n))
	client.PrependReactor("update", "configmaps", func(ktest.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("too slow")
	})
	err := Acknowledge(t.Context(), n, give(three, "c"))
	require.ErrorContains(t, err, "writing what was acknowledged of bl01t: too slow")
	require.Equal(t, diag.Broken, diag.KindOf(err))
	client.PrependReactor("get", "configmaps", func(ktest.Action) (bool, runtime.Object, error) {
		return true, nil, errors.New("too slow")
	})
	_, err = Acknowledged(t.Context(), n)
	require.ErrorContains(t, err, "reading what was acknowledged of bl01t: too slow")
}

// What cannot be read hides nothing, and is written anew.
func TestWhatCannotBeReadAcknowledgesNothing(t *testing.T) {
	for name, cm := range map[string]*corev1.ConfigMap{
		"broken": {Data: map[string]string{acknowledgements.key: "{"}},
		"empty":  {},
		"null":   {Data: map[string]string{acknowledgements.key: "null"}},
		"another beamline's": {
			ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{cluster.LabelBeamline: "bl02t"}},
			Data:       map[string]string{acknowledgements.key: `{"a":{"until":"2099-01-01T00:00:00Z"}}`},
		},
	} {
		cm.Name, cm.Namespace = AcknowledgedName, "bl01t"
		if cm.Labels == nil {
			cm.Labels = map[string]string{cluster.LabelBeamline: "bl01t"}
		}
		n := &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: fake.NewClientset(cm)}
		require.Empty(t, names(t, n), name)
		require.NoError(t, Acknowledge(t.Context(), n, give(three, "b")), name)
		require.Equal(t, []string{"b"}, names(t, n), name)
	}
}
