package ledger

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	ktest "k8s.io/client-go/testing"

	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// A cluster that does not answer is never taken for one in which nothing is.
func TestAClusterThatDoesNotAnswerIsAnError(t *testing.T) {
	n := func(verb string) *cluster.Namespace {
		client := fake.NewClientset()
		client.PrependReactor(verb, "configmaps", func(ktest.Action) (bool, runtime.Object, error) {
			return true, nil, errors.New("too slow")
		})
		return namespace(client)
	}
	for says, ask := range map[string]func(context.Context) error{
		"reading what runs in namespace bl01t": func(ctx context.Context) error {
			_, err := Known(ctx, n("get"))
			return err
		},
		"writing what runs in namespace bl01t": func(ctx context.Context) error {
			return (&Ledger{}).Save(ctx, n("create"))
		},
		"looking for bl01t in other namespaces": func(ctx context.Context) error { return Elsewhere(ctx, n("list")) },
		"writing the history of bl01t: reading": func(ctx context.Context) error {
			return Append(ctx, n("get"), Entry{})
		},
		"writing the history of bl01t: too slow": func(ctx context.Context) error {
			return Append(ctx, n("create"), Entry{})
		},
		"reading the policy of bl01t": func(ctx context.Context) error {
			_, _, err := Policy(ctx, n("get"))
			return err
		},
		"writing the policy of bl01t": func(ctx context.Context) error {
			return SavePolicy(ctx, n("create"), "")
		},
	} {
		err := ask(t.Context())
		require.ErrorContains(t, err, says)
		require.ErrorContains(t, err, "too slow")
		require.Equal(t, diag.Broken, diag.KindOf(err), says)
		require.NotErrorIs(t, err, ErrNoPolicy)
	}
}

// Two runs that find no ledger both make one: the second may not overwrite it.
func TestTwoFirstPromotionsAreNotBothWritten(t *testing.T) {
	n := namespace(fake.NewClientset())
	first, second := &Ledger{}, &Ledger{}
	require.NoError(t, first.Save(t.Context(), n))
	require.ErrorContains(t, second.Save(t.Context(), n), "somebody else changed it meanwhile")
}

// A beamline is forgotten as it was read, and may be forgotten twice.
func TestDeleteForgetsWhatWasRead(t *testing.T) {
	client := fake.NewClientset(ran("bl01t", "bl01t"))
	n := namespace(client)
	var asked metav1.Preconditions
	client.PrependReactor("delete", "configmaps", func(a ktest.Action) (bool, runtime.Object, error) {
		asked = *a.(ktest.DeleteActionImpl).DeleteOptions.Preconditions
		return false, nil, nil
	})
	l, err := Known(t.Context(), n)
	require.NoError(t, err)
	require.NoError(t, l.Delete(t.Context(), n))
	require.Equal(t, metav1.Preconditions{UID: &l.seen.UID, ResourceVersion: &l.seen.ResourceVersion}, asked)
	_, err = Known(t.Context(), n)
	require.ErrorContains(t, err, "nothing was ever promoted")
	require.NoError(t, l.Delete(t.Context(), n), "it is gone")
	require.NoError(t, (&Ledger{}).Delete(t.Context(), n), "it was never there")
	client.PrependReactor("delete", "configmaps", func(ktest.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewConflict(
			schema.GroupResource{Resource: "configmaps"}, Name, errors.New("changed"),
		)
	})
	require.ErrorContains(t, l.Delete(t.Context(), n), "forgetting bl01t in namespace bl01t")
}

func TestHowAnEntryEnded(t *testing.T) {
	for says, e := range map[string]Entry{
		"well": {}, "verified 2m": {Verified: "verified 2m"}, "an IOC died": {Failed: "an IOC died", Verified: "x"},
	} {
		require.Equal(t, says, e.Ended())
	}
}

// Helm's history names the release of the beamline as the ledger does.
func TestTheTitleOfARelease(t *testing.T) {
	r := Release{Record: record.Record{Tag: assettest.Tag("bl01t/1.0")}, Digest: "sha256:1"}
	require.Equal(t, "bl01t/1.0 sha256:1", r.Title())
}
