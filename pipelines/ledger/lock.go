package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// A lock is renewed every few seconds and given up when that fails for
// renewWithin; a killed run's lock is taken over after lockFor.
const (
	lockFor     = 30 * time.Second
	renewWithin = 20 * time.Second
	renewEvery  = 2 * time.Second
)

// Work changes a beamline under its lock. ctx ends when the person stops the run
// or the lock is lost; held ends only when the lock is lost, so that work can
// undo what it began after ctx is cancelled. Every request to n that changes
// something is refused with ErrLockLost once the lock may be somebody else's.
type Work func(ctx, held context.Context, n *cluster.Namespace) error

// Locked runs work while nobody else changes the beamline, and waits for
// whoever does. holder names this run to others ("ajp@ws012, process 4711") and
// must be different for each. The lock outlives ctx until work returns. A lock
// that waiting cannot bring is an error at once.
func Locked(ctx context.Context, n *cluster.Namespace, holder string, work Work) error {
	locked, unlock := context.WithCancelCause(klog.NewContext(context.WithoutCancel(ctx), logr.Discard()))
	defer unlock(nil)
	giveUp := context.AfterFunc(ctx, func() { unlock(ctx.Err()) }) // while waiting for the lock
	l := &lease{end: unlock, Interface: &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Name: Name, Namespace: n.Name},
		Client:     n.Client.CoordinationV1(),
		LockConfig: resourcelock.ResourceLockConfig{Identity: holder},
	}}
	start := make(chan context.Context, 1)
	elector, err := newElector(ctx, l, start)
	if err != nil {
		return fmt.Errorf("preparing the beamline's lock: %w", err)
	}
	fenced, err := n.Fenced(l.check)
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { defer close(ended); elector.Run(locked) }()
	select {
	case held := <-start:
		err := ctx.Err()
		if giveUp() {
			err = under(ctx, held, fenced, work)
		}
		unlock(nil)
		<-ended // the lock is given back
		return err
	case <-ended:
		if err := ctx.Err(); err != nil {
			return err
		}
		return cluster.Broken("locking beamline "+n.Beamline, context.Cause(locked))
	}
}

// Holding is what is known of a beamline's lock. The zero value knows nothing.
type Holding struct {
	Known bool      // whether the cluster lets us ask
	Run   string    // that has the lock, "ajp@ws012, process 4711"; empty where none has
	Since time.Time // when it took the lock; zero where that is not said
}

// Holder returns who changes the beamline now.
func Holder(ctx context.Context, n *cluster.Namespace) (Holding, error) {
	l, err := n.Client.CoordinationV1().Leases(n.Name).Get(ctx, Name, metav1.GetOptions{})
	switch {
	case apierrors.IsForbidden(err):
		return Holding{}, nil
	case apierrors.IsNotFound(err):
		return Holding{Known: true}, nil
	case err != nil:
		return Holding{}, cluster.Broken("asking who changes "+n.Beamline, err)
	case l.Spec.HolderIdentity == nil || l.Spec.RenewTime == nil || time.Since(l.Spec.RenewTime.Time) > lockFor:
		return Holding{Known: true}, nil // a run that was killed
	}
	h := Holding{Known: true, Run: *l.Spec.HolderIdentity}
	if at := l.Spec.AcquireTime; at != nil && h.Run != "" {
		h.Since = at.Time
	}
	return h, nil
}

func newElector(ctx context.Context, l *lease, start chan<- context.Context) (*leaderelection.LeaderElector, error) {
	return leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Name: Name, Lock: l, LeaseDuration: lockFor, RenewDeadline: renewWithin, RetryPeriod: renewEvery,
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(held context.Context) { start <- held },
			OnStoppedLeading: func() {},
			OnNewLeader: func(holder string) {
				if holder != l.Identity() {
					step.Say(ctx, "waiting for the beamline",
						fmt.Sprintf(
							"%s is changing it; a run that was killed is waited for %s at most", holder, lockFor,
						))
				}
			},
		},
	})
}

// under runs work until ctx or the lock ends it.
func under(ctx, held context.Context, n *cluster.Namespace, work Work) error {
	both, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(held, func() { cancel(ErrLockLost) })()
	err := work(both, held, n)
	if errors.Is(err, context.Canceled) && errors.Is(context.Cause(both), ErrLockLost) {
		return cluster.Broken("changing beamline "+n.Beamline, ErrLockLost)
	}
	return err
}
