package ledger

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	coordination "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/rest"
	ktest "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/leaderelection/resourcelock"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// namespace is one of a cluster that exists in memory only.
func namespace(client *fake.Clientset) *cluster.Namespace {
	return &cluster.Namespace{
		Name: "bl01t", Beamline: "bl01t", Client: client, Config: &rest.Config{Host: "http://127.0.0.1:1"},
	}
}

// aLease returns a lease of this run that is held, and the reason that ended the run.
func aLease(t *testing.T, client *fake.Clientset) (*lease, *error) {
	var ended error
	l := &lease{end: func(err error) { ended = err }, Interface: &resourcelock.LeaseLock{
		LeaseMeta: metav1.ObjectMeta{Name: Name, Namespace: "bl01t"}, Client: client.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: "me"},
	}}
	require.NoError(t, l.Create(
		t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: "me", LeaseDurationSeconds: 30},
	))
	require.NoError(t, l.check())
	return l, &ended
}

// A run that was suspended finds a lease that another took, or that is free
// again because another took it and gave it back. Both are lost.
func TestALeaseThatWasTakenIsLost(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, client *fake.Clientset){
		"taken": func(t *testing.T, client *fake.Clientset) { holder(t, client, "another") },
		"free":  func(t *testing.T, client *fake.Clientset) { holder(t, client, "") },
		"deleted": func(t *testing.T, client *fake.Clientset) {
			require.NoError(t, client.Tracker().Delete(leases, "bl01t", "tagline"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := fake.NewClientset()
			l, ended := aLease(t, client)
			_, _, err := l.Get(t.Context())
			require.NoError(t, err)
			require.NoError(t, *ended)
			spoil(t, client)
			_, _, err = l.Get(t.Context())
			require.ErrorIs(t, err, ErrLockLost)
			require.ErrorIs(t, *ended, ErrLockLost)
			require.ErrorIs(t, l.check(), ErrLockLost)
		})
	}
}

var leases = schema.GroupVersionResource{Group: "coordination.k8s.io", Version: "v1", Resource: "leases"}

func holder(t *testing.T, client *fake.Clientset, who string) {
	t.Helper()
	l, err := client.CoordinationV1().Leases("bl01t").Get(t.Context(), "tagline", metav1.GetOptions{})
	require.NoError(t, err)
	l.Spec.HolderIdentity = &who
	_, err = client.CoordinationV1().Leases("bl01t").Update(t.Context(), l, metav1.UpdateOptions{})
	require.NoError(t, err)
}

func TestALeaseThatWasNotRenewedLetsNothingThrough(t *testing.T) {
	l, ended := aLease(t, fake.NewClientset())
	l.renewed = time.Now().Add(-renewWithin)
	require.ErrorIs(t, l.check(), ErrLockLost)
	require.ErrorIs(t, *ended, ErrLockLost)
	// While a machine sleeps, only the wall clock goes on.
	l, _ = aLease(t, fake.NewClientset())
	l.renewed = time.Now().Round(0).Add(-renewWithin)
	require.ErrorIs(t, l.check(), ErrLockLost)
}

func TestLockedEndsWorkWhenTheLockIsLost(t *testing.T) {
	client := fake.NewClientset()
	var stolen atomic.Bool
	client.PrependReactor("update", "leases", func(ktest.Action) (bool, runtime.Object, error) {
		return stolen.Load(), nil, apierrors.NewConflict(
			leases.GroupResource(), "tagline", errors.New("it was changed"),
		)
	})
	client.PrependReactor("get", "leases", func(ktest.Action) (bool, runtime.Object, error) {
		who := "another"
		return stolen.Load(), &coordination.Lease{Spec: coordination.LeaseSpec{HolderIdentity: &who}}, nil
	})
	err := Locked(t.Context(), namespace(client), "me", func(ctx, held context.Context, n *cluster.Namespace) error {
		stolen.Store(true)
		<-ctx.Done()
		require.ErrorIs(t, context.Cause(ctx), ErrLockLost)
		require.Error(t, held.Err())
		err := n.Client.CoreV1().ConfigMaps("bl01t").Delete(context.WithoutCancel(ctx), "x", metav1.DeleteOptions{})
		require.ErrorIs(t, err, ErrLockLost, "nothing more is written")
		return ctx.Err()
	})
	require.ErrorContains(t, err, "changing beamline bl01t: the beamline's lock was lost")
	require.Equal(t, diag.Broken, diag.KindOf(err))
}

func TestLockedGivesTheLockBack(t *testing.T) {
	client := fake.NewClientset()
	for range 2 {
		err := Locked(
			t.Context(), namespace(client), "me",
			func(ctx, held context.Context, n *cluster.Namespace) error { return nil },
		)
		require.NoError(t, err)
		l, err := client.CoordinationV1().Leases("bl01t").Get(t.Context(), "tagline", metav1.GetOptions{})
		require.NoError(t, err)
		require.Empty(t, *l.Spec.HolderIdentity)
	}
}

// Waiting does not bring a lock where leases are forbidden or no namespace is.
func TestALockThatNobodyCanHaveIsAnErrorAtOnce(t *testing.T) {
	for says, refusal := range map[string]struct {
		verb string
		err  error
	}{
		"cannot get leases": {"get", apierrors.NewForbidden(
			leases.GroupResource(), "tagline", errors.New("cannot get leases"),
		)},
		"is being terminated": {"create", apierrors.NewForbidden(
			leases.GroupResource(), "tagline", errors.New("it is being terminated"),
		)},
		"not found": {"create", apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, "bl01t")},
	} {
		client := fake.NewClientset()
		client.PrependReactor(
			refusal.verb, "leases", func(ktest.Action) (bool, runtime.Object, error) { return true, nil, refusal.err },
		)
		work := func(context.Context, context.Context, *cluster.Namespace) error {
			t.Error("the work ran")
			return nil
		}
		err := Locked(t.Context(), namespace(client), "me", work)
		require.ErrorContains(t, err, "locking beamline bl01t")
		require.ErrorContains(t, err, says)
	}
}
