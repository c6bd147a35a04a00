package ledger

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/cluster"
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
	l := &lease{leases: n.Client.CoordinationV1().Leases(n.Name), holder: holder}
	fenced, err := n.Fenced(l.check)
	if err != nil {
		return err
	}
	if err := l.take(ctx); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return cluster.Broken("locking beamline "+n.Beamline, err)
	}
	held, end := context.WithCancelCause(context.WithoutCancel(ctx))
	l.end = end
	ended := make(chan struct{})
	go func() { defer close(ended); l.keep(held) }()
	if err = ctx.Err(); err == nil {
		err = under(ctx, held, fenced, work)
	}
	end(nil)
	<-ended
	l.release(context.WithoutCancel(ctx))
	return err
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
	case l.Spec.RenewTime == nil || time.Since(l.Spec.RenewTime.Time) > lockFor:
		return Holding{Known: true}, nil // a run that was killed
	}
	h := Holding{Known: true, Run: holderOf(l)}
	if at := l.Spec.AcquireTime; at != nil && h.Run != "" {
		h.Since = at.Time
	}
	return h, nil
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
