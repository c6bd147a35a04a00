package ledger

import (
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

func TestPolicyIsOfItsBeamline(t *testing.T) {
	client := fake.NewClientset()
	n := namespace(client)
	_, err := Policy(t.Context(), n)
	require.ErrorIs(t, err, ErrNoPolicy)
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.ErrorContains(t, err, "tagline policy init bl01t")

	require.NoError(t, SavePolicy(t.Context(), n, "one", true))
	require.ErrorIs(t, SavePolicy(t.Context(), n, "two", true), ErrPolicyThere)
	text, err := Policy(t.Context(), n)
	require.NoError(t, err)
	require.Equal(t, "one", text)
	require.NoError(t, SavePolicy(t.Context(), n, "two", false))
	text, err = Policy(t.Context(), n)
	require.NoError(t, err)
	require.Equal(t, "two", text)

	_, err = Policy(t.Context(), &cluster.Namespace{Name: n.Name, Beamline: "bl02t", Client: client})
	require.ErrorContains(t, err, `is of beamline "bl01t"`)
	require.Equal(t, diag.Refused, diag.KindOf(err))
}
