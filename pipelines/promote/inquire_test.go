package promote

import (
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/policy"
)

// A beamline without a policy is given the first one, once; one that has a policy keeps
// it, and one that belongs to another beamline is no policy of this one.
func TestPolicyOr(t *testing.T) {
	client := fake.NewClientset()
	n := &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: client}
	_, err := Policy(t.Context(), n)
	require.ErrorIs(t, err, ledger.ErrNoPolicy)
	p, given, err := PolicyOr(t.Context(), n, policy.OfUp())
	require.NoError(t, err)
	require.True(t, given)
	require.Equal(t, policy.OfUp().Unsigned, p.Unsigned)

	p, given, err = PolicyOr(t.Context(), n, policy.Template{Unsigned: "another test beamline"})
	require.NoError(t, err)
	require.False(t, given)
	require.Equal(t, policy.OfUp().Unsigned, p.Unsigned)

	other := &cluster.Namespace{Name: "bl01t", Beamline: "bl02t", Client: client}
	_, given, err = PolicyOr(t.Context(), other, policy.OfUp())
	require.ErrorContains(t, err, `is of beamline "bl01t"`)
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.False(t, given)

	_, _, err = PolicyOr(t.Context(), &cluster.Namespace{Name: "x", Beamline: "x", Client: client}, policy.Template{})
	require.ErrorContains(t, err, "nobody may sign releases")
	_, err = Policy(t.Context(), &cluster.Namespace{Name: "x", Beamline: "x", Client: client})
	require.ErrorIs(t, err, ledger.ErrNoPolicy, "nothing was written")
}
