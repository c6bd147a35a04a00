package ledger

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
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

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// namespace is one of a cluster that exists in memory only.
func namespace(client *fake.Clientset) *cluster.Namespace {
	return &cluster.Namespace{
		Name: "bl01t", Beamline: "bl01t", Client: client, Config: &rest.Config{Host: "http://127.0.0.1:1"},
	}
}

// versioned returns a cluster in memory that refuses, as a real one does and client-go's
// does not, to update a lease that was changed since it was read.
func versioned() *fake.Clientset {
	client := fake.NewClientset()
	version := 0
	client.PrependReactor("*", "leases", func(a ktest.Action) (bool, runtime.Object, error) {
		change, ok := a.(ktest.CreateAction) // an update has the same methods
		if !ok {
			return false, nil, nil
		}
		l := change.GetObject().(*coordination.Lease)
		if a.GetVerb() == "update" && l.ResourceVersion != strconv.Itoa(version) {
			return true, nil, apierrors.NewConflict(leases.GroupResource(), l.Name, errors.New("it was changed"))
		}
		version++
		l.ResourceVersion = strconv.Itoa(version)
		return false, nil, nil
	})
	return client
}

// aLease returns a lease of this run that is held, and the reason that ended the run.
func aLease(t *testing.T, client *fake.Clientset) (*lease, *error) {
	var ended error
	l := &lease{
		end: func(err error) { ended = err }, leases: client.CoordinationV1().Leases("bl01t"), holder: "me",
	}
	require.NoError(t, l.take(t.Context()))
	require.NoError(t, l.check())
	return l, &ended
}

// A run that was suspended finds a lease that another took, or that is free
// again because another took it and gave it back. Both are lost.
func TestALeaseThatWasTakenIsLost(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, client *fake.Clientset){
		"taken": func(t *testing.T, client *fake.Clientset) { holder(t, client, "another") },
		"free":  func(t *testing.T, client *fake.Clientset) { holder(t, client, "") },
		"taken by one of the same name": func(t *testing.T, client *fake.Clientset) {
			holder(t, client, "")
			theirs := &lease{leases: client.CoordinationV1().Leases("bl01t"), holder: "me"}
			require.NoError(t, theirs.take(t.Context()))
		},
		"deleted": func(t *testing.T, client *fake.Clientset) {
			require.NoError(t, client.Tracker().Delete(leases, "bl01t", "tagline"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			client := versioned()
			l, ended := aLease(t, client)
			l.renew(t.Context())
			require.NoError(t, *ended)
			spoil(t, client)
			l.renew(t.Context())
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

// A lease whose renewal was applied and never answered is still this run's.
func TestALeaseWhoseRenewalWasNotAnsweredIsKept(t *testing.T) {
	client := versioned()
	l, ended := aLease(t, client)
	holder(t, client, "me")
	l.renew(t.Context())
	l.renew(t.Context())
	require.NoError(t, *ended)
	require.NoError(t, l.check())
}

// Renewing may fail for less than renewWithin.
func TestALeaseOutlivesAShortOutage(t *testing.T) {
	for name, outage := range map[string]struct {
		time.Duration
		lost bool
	}{"short": {renewWithin - 2*renewEvery, false}, "long": {renewWithin + 2*renewEvery, true}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				client := versioned()
				var ended atomic.Int64
				client.PrependReactor("*", "leases", func(ktest.Action) (bool, runtime.Object, error) {
					return time.Now().UnixNano() < ended.Load(), nil, apierrors.NewInternalError(errors.New("away"))
				})
				err := Locked(t.Context(), namespace(client), "me",
					func(ctx, _ context.Context, _ *cluster.Namespace) error {
						time.Sleep(time.Minute)
						ended.Store(time.Now().Add(outage.Duration).UnixNano())
						time.Sleep(time.Minute)
						return ctx.Err()
					})
				if !outage.lost {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, ErrLockLost)
			})
		})
	}
}

// A lock is taken from a run that was killed, and never from one that lives.
func TestALockIsTakenFromWhoNoLongerRenewsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := versioned()
		lives := time.Now().Add(5 * time.Minute)
		killed := errors.New("killed")
		go func() {
			theirs := &lease{end: func(error) {}, leases: client.CoordinationV1().Leases("bl01t"), holder: "another"}
			ctx, kill := context.WithDeadlineCause(t.Context(), lives, killed)
			defer kill()
			if err := theirs.take(ctx); err != nil {
				t.Error(err)
			}
			theirs.keep(ctx)
		}()
		synctest.Wait()
		work := func(context.Context, context.Context, *cluster.Namespace) error {
			require.InDelta(t, lockFor, time.Since(lives), float64(2*renewEvery))
			return nil
		}
		err := Locked(t.Context(), namespace(client), "me", work)
		require.NoError(t, err)
	})
}

// Who waits can stop.
func TestWaitingForALockEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client := versioned()
		theirs := &lease{end: func(error) {}, leases: client.CoordinationV1().Leases("bl01t"), holder: "another"}
		require.NoError(t, theirs.take(t.Context()))
		ctx, stop := context.WithTimeout(t.Context(), lockFor/2)
		defer stop()
		err := Locked(ctx, namespace(client), "me", func(context.Context, context.Context, *cluster.Namespace) error {
			t.Error("the work ran")
			return nil
		})
		require.ErrorIs(t, err, context.DeadlineExceeded)
	})
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
