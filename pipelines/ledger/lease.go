package ledger

import (
	"context"
	"errors"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// ErrLockLost ends work whose lock could not be renewed. Somebody else may hold
// the lock by now, so nothing more may be changed, not even put back.
var ErrLockLost = errors.New(
	"the beamline's lock was lost: this run was suspended, or the cluster did not answer, for too long",
)

// lease is the lock of one run. The library that renews it takes a lease again
// that somebody else held and gave back meanwhile; for a run that has already
// begun, such a lease is lost, because the beamline may have changed.
type lease struct {
	resourcelock.Interface
	end func(error) // ends the run with a reason

	mu      sync.Mutex
	renewed time.Time // when the last request that renewed the lease began; zero while it is not held
	held    bool      // it was held once
}

// Get reads the lease, and ends the run when it is no longer its own.
func (l *lease) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	rec, raw, err := l.Interface.Get(ctx)
	switch {
	case err == nil && rec.HolderIdentity != l.Identity(), apierrors.IsNotFound(err):
		if l.wasHeld() {
			l.lose()
			return nil, nil, ErrLockLost
		}
	case err != nil:
		l.hopeless(err)
	}
	return rec, raw, err
}

// Create takes a lease that is not there yet.
func (l *lease) Create(ctx context.Context, rec resourcelock.LeaderElectionRecord) error {
	return l.write(ctx, rec, l.Interface.Create)
}

// Update renews the lease, or takes one that nobody holds, or releases it.
func (l *lease) Update(ctx context.Context, rec resourcelock.LeaderElectionRecord) error {
	return l.write(ctx, rec, l.Interface.Update)
}

func (l *lease) write(ctx context.Context, rec resourcelock.LeaderElectionRecord,
	request func(context.Context, resourcelock.LeaderElectionRecord) error) error {
	began := time.Now()
	if err := request(ctx, rec); err != nil {
		l.hopeless(err)
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.renewed, l.held = began, rec.HolderIdentity != ""
	return nil
}

// hopeless ends the run when waiting cannot bring the lock: without the right to
// leases, and in a namespace that is not there or is being deleted. A lock that is
// held is not given up for one refusal: it may be renewed by the next request.
func (l *lease) hopeless(err error) {
	if l.wasHeld() {
		return
	}
	if apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err) || apierrors.IsNotFound(err) {
		l.end(err)
	}
}

func (l *lease) wasHeld() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.held
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
