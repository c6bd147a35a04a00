package helm

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/ledger"
)

func TestLeavesNameTheFieldsOfAPatch(t *testing.T) {
	patch := map[string]any{
		"spec": map[string]any{
			"replicas": 1.0,
			"template": map[string]any{"spec": map[string]any{
				"$setElementOrder/containers": []any{map[string]any{"name": "ioc"}},
				"containers": []any{
					map[string]any{"name": "ioc", "image": "x", "args": []any{"a", "b"}},
				},
			}},
		},
		"data":     map[string]any{"name": "st.cmd"},
		"metadata": map[string]any{"labels": nil},
	}
	require.ElementsMatch(
		t,
		[]string{
			"spec.replicas",
			"spec.template.spec.containers[ioc].image",
			"spec.template.spec.containers[ioc].args",
			"data.name",
		},
		leaves("", patch),
	)
}

func TestDriftIsWhatSomebodyChangedByHand(t *testing.T) {
	for patch, want := range map[string][]string{
		`{"metadata":{"annotations":{"who":"ada"}},"spec":{"minReadySeconds":7}}`: nil, // the chart sets neither
		`{"spec":{"replicas":0}}`: {"Deployment a: spec.replicas"},
		`{"spec":{"template":{"spec":{"hostNetwork":false,"containers":[{"name":"ioc","image":"x"}]}}}}`: {
			"Deployment a: spec.template.spec.containers[ioc].image", "Deployment a: spec.template.spec.hostNetwork",
		},
		`{"spec":{"template":{"metadata":{"annotations":{"tagline/config":"x"}}}}}`: {
			"Deployment a: spec.template.metadata.annotations.tagline/config",
		},
		`{"spec":{"template":{"spec":{"containers":[{"name":"beside","image":"x"}]}}}}`: nil,
	} {
		s := newSite(t)
		s.deployed(ioc{version: "1.0.1"})
		s.patch(patch)
		drift, err := Drift(t.Context(), s.n, "a", ledger.Override{})
		require.NoError(t, err)
		require.Equal(t, want, drift, patch)
		s.deployed(ioc{version: "1.0.2"})
		drift, err = Drift(t.Context(), s.n, "a", ledger.Override{})
		require.NoError(t, err)
		require.Empty(t, drift, "a promotion sets it right")
	}
}

func TestWhatSomebodyDeletedIsDrift(t *testing.T) {
	s := newSite(t)
	s.deployed(ioc{version: "1.0.1"})
	require.NoError(t, s.n.Client.AppsV1().Deployments(s.n.Name).Delete(t.Context(), "a", metav1.DeleteOptions{}))
	drift, err := Drift(t.Context(), s.n, "a", ledger.Override{})
	require.NoError(t, err)
	require.Equal(t, []string{"Deployment a: is gone"}, drift)
	s.Refuse("GET deployments/a")
	_, err = Drift(t.Context(), s.n, "a", ledger.Override{})
	require.ErrorContains(t, err, "comparing the objects of a", "what cannot be read is not gone")
	_, err = Drift(over(t), s.n, "a", ledger.Override{})
	require.ErrorIs(t, err, context.Canceled)
	_, err = Drift(t.Context(), s.n, "nosuch", ledger.Override{})
	require.ErrorContains(t, err, "reading the Helm release of nosuch")
}

// What is set for an instance and was then undone by hand is drift.
func TestWhatIsSetAndWasUndoneIsDrift(t *testing.T) {
	s := newSite(t)
	set := ledger.Override{Stopped: &ledger.Note{By: "ada"}, Node: "ws012"}
	require.NoError(t, s.deploy(ioc{version: "1.0.1"}, set))
	drift, err := Drift(t.Context(), s.n, "a", set)
	require.NoError(t, err)
	require.Empty(t, drift)
	s.patch(`{"spec":{"replicas":1}}`)
	drift, err = Drift(t.Context(), s.n, "a", set)
	require.NoError(t, err)
	require.Equal(t, []string{"Deployment a: spec.replicas"}, drift)
}
