package ledger

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// ErrLockLost ends work whose lock could not be renewed. Somebody else may hold
// the lock by now, so nothing more may be changed, not even put back.
var ErrLockLost = errors.New("the beamline's lock was lost: the cluster did not answer for too long")

// A lock is renewed every few seconds and given up when that fails for
// renewWithin; a killed run's lock is taken over after lockFor.
const (
	lockFor     = 30 * time.Second
	renewWithin = 20 * time.Second
	renewEvery  = 2 * time.Second
)

// Locked runs work while nobody else changes the beamline, and waits for
// whoever does. holder names this run to others ("ajp@ws012, process 4711") and must be
// different for each. work gets ctx, which also ends when the lock is lost, and
// held, which ends only then: the lock outlives ctx until work returns, so that
// work can undo what it began after ctx is cancelled.
func Locked(
	ctx context.Context,
	n *cluster.Namespace,
	holder string,
	work func(ctx, held context.Context) error,
) error {
	locked, unlock := context.WithCancel(klog.NewContext(context.WithoutCancel(ctx), logr.Discard()))
	defer unlock()
	giveUp := context.AfterFunc(ctx, unlock) // while waiting for the lock
	start := make(chan context.Context, 1)
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Name: name,
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Name: name, Namespace: n.Name},
			Client:     n.Client.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: holder},
		},
		LeaseDuration: lockFor, RenewDeadline: renewWithin, RetryPeriod: renewEvery,
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(held context.Context) { start <- held },
			OnStoppedLeading: func() {},
			OnNewLeader: func(who string) {
				if who != holder {
					step.Say(
						ctx,
						"waiting for the beamline",
						fmt.Sprintf(
							"%s is changing it; a run that was killed is waited for %s at most",
							who,
							lockFor,
						),
					)
				}
			},
		},
	})
	if err != nil {
		return fmt.Errorf("preparing the beamline's lock: %w", err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); elector.Run(locked) }()
	select {
	case held := <-start:
		err := ctx.Err()
		if giveUp() {
			err = under(ctx, held, work)
		}
		unlock()
		<-ended // the lock is given back
		return err
	case <-ended:
		if err := ctx.Err(); err != nil {
			return err
		}
		return cluster.Broken("locking beamline "+n.Beamline, ErrLockLost)
	}
}

// under runs work until ctx or the lock ends it.
func under(ctx, held context.Context, work func(ctx, held context.Context) error) error {
	both, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(held, func() { cancel(ErrLockLost) })()
	return work(both, held)
}
