package ledger

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	v1 "k8s.io/api/coordination/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"

	"github.com/tagline-ci/tagline/pipelines/step"
)

// A lock is renewed every few seconds and given up when that fails for
// renewWithin; a killed run's lock is taken over after lockFor.
const (
	lockFor     = 30 * time.Second
	renewWithin = 20 * time.Second
	renewEvery  = 2 * time.Second
)

// ErrLockLost ends work whose lock could not be renewed. Somebody else may hold
// the lock by now, so nothing more may be changed, not even put back.
var ErrLockLost = errors.New(
	"the beamline's lock was lost: this run was suspended, or the cluster did not answer, for too long",
)

// lease is the lock of one run. Once it was somebody else's, or nobody's, it is
// lost: the beamline may have changed meanwhile.
//
// client-go's own leader election would take such a lease again, and brings the
// informers of every kind of object with it, which are a sixth of what compiling
// the Dagger module takes.
type lease struct {
	leases coordination.LeaseInterface
	holder string           // this run, as people know it
	since  metav1.MicroTime // when it asked for the lease, so that two runs with one name are told apart
	last   *v1.Lease        // as it was read or written last; nil where there is none

	mu      sync.Mutex
	renewed time.Time   // when the last request that renewed the lease began; zero while it is not held
	end     func(error) // ends the run with a reason
}

// take waits until the lease is this run's. A lease that waiting cannot bring is
// an error at once: without the right to leases, and in a namespace that is not
// there or is being deleted.
func (l *lease) take(ctx context.Context) error {
	var seen time.Time // when the holder was first seen to have renewed it as it is now
	var before *v1.Lease
	for {
		err := l.read(ctx)
		absent := apierrors.IsNotFound(err)
		switch {
		case absent:
			err = l.claim(ctx)
		case err != nil:
		case holderOf(l.last) == "" || l.own() || sameClaim(before, l.last) && time.Since(seen) > lockFor:
			err = l.claim(ctx)
		default:
			err = errors.New("it is held")
			if !sameClaim(before, l.last) {
				seen = time.Now()
			}
			if who := holderOf(l.last); who != holderOf(before) {
				step.Say(ctx, "waiting for the beamline", fmt.Sprintf(
					"%s is changing it; a run that was killed is waited for %s at most", who, lockFor,
				))
			}
			before = l.last
		}
		if err == nil || apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) ||
			absent && apierrors.IsNotFound(err) {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(renewEvery):
		}
	}
}

// keep renews the lease until ctx ends or the lease is lost.
func (l *lease) keep(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-time.After(renewEvery):
			l.renew(ctx)
		}
	}
}

// renew renews the lease once. It is held, and not given up for one refusal: the
// next request may renew it.
func (l *lease) renew(ctx context.Context) {
	l.mu.Lock()
	within, cancel := context.WithDeadline(ctx, l.renewed.Add(renewWithin))
	l.mu.Unlock()
	defer cancel()
	err := l.claim(within)
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		// Somebody changed it: or this run did, by a request whose answer was lost.
		err = l.read(within)
		if apierrors.IsNotFound(err) || err == nil && !l.own() {
			l.lose()
		}
	}
	if err != nil && ctx.Err() == nil {
		_ = l.check()
	}
}

// release gives the lease back, so that the next run need not wait. One that
// can't be given back ends by itself.
func (l *lease) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, renewWithin)
	defer cancel()
	if err := l.read(ctx); err != nil || !l.own() {
		return
	}
	free := l.last.DeepCopy()
	free.Spec.HolderIdentity = new("")
	_, _ = l.leases.Update(ctx, free, metav1.UpdateOptions{})
}

// own reports whether the lease was this run's when it was last read or written.
func (l *lease) own() bool {
	return holderOf(l.last) == l.holder && l.last.Spec.AcquireTime.Equal(&l.since)
}

func (l *lease) read(ctx context.Context) error {
	got, err := l.leases.Get(ctx, Name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		l.last = nil
	}
	if err == nil {
		l.last = got
	}
	return err
}

// claim writes the lease as one that this run holds and has just renewed. It is
// refused when the lease is no longer as it was last seen.
func (l *lease) claim(ctx context.Context) error {
	began := time.Now()
	now := metav1.NewMicroTime(began.Truncate(time.Microsecond)) // as it will be read
	mine := &v1.Lease{ObjectMeta: metav1.ObjectMeta{Name: Name}}
	write := func() (*v1.Lease, error) { return l.leases.Create(ctx, mine, metav1.CreateOptions{}) }
	if l.last != nil {
		mine = l.last.DeepCopy()
		write = func() (*v1.Lease, error) { return l.leases.Update(ctx, mine, metav1.UpdateOptions{}) }
	}
	if !l.own() {
		l.since = now
		mine.Spec.HolderIdentity, mine.Spec.AcquireTime = &l.holder, &now
	}
	mine.Spec.RenewTime, mine.Spec.LeaseDurationSeconds = &now, new(int32(lockFor/time.Second))
	written, err := write()
	if err != nil {
		return err
	}
	l.last = written
	l.mu.Lock()
	defer l.mu.Unlock()
	l.renewed = began
	return nil
}

func (l *lease) lose() {
	l.mu.Lock()
	l.renewed = time.Time{}
	l.mu.Unlock()
	l.end(ErrLockLost)
}

// check returns ErrLockLost, and ends the run, unless the lease was renewed so
// recently that nobody else can have taken it. It is asked before each request
// that changes the cluster. The wall clock counts too: the other one stands still
// while a machine sleeps.
func (l *lease) check() error {
	l.mu.Lock()
	renewed := l.renewed
	l.mu.Unlock()
	age := max(time.Since(renewed), time.Now().Round(0).Sub(renewed.Round(0)))
	if !renewed.IsZero() && age < renewWithin {
		return nil
	}
	l.lose()
	return ErrLockLost
}

// holderOf returns who holds a lease, empty where nobody does.
func holderOf(l *v1.Lease) string {
	if l == nil || l.Spec.HolderIdentity == nil {
		return ""
	}
	return *l.Spec.HolderIdentity
}

// sameClaim reports whether a lease was not renewed since it was read before.
func sameClaim(before, now *v1.Lease) bool {
	return before != nil && holderOf(before) == holderOf(now) && before.Spec.RenewTime.Equal(now.Spec.RenewTime)
}
