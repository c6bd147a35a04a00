package page

import (
	"context"
	"fmt"
	"reflect"
	"sync"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/helm"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/status"
	"github.com/tagline-ci/tagline/pipelines/step"
)

const (
	// settleFor is how long changes are gathered into one reading.
	settleFor = 200 * time.Millisecond
	// beatEvery and beatWithin say how soon a cluster that went away is noticed:
	// a watch alone can be silent for most of a minute.
	beatEvery  = 2 * time.Second
	beatWithin = 4 * time.Second
	// listWithin is how long the cluster may take to list objects, or to begin to tell of
	// their changes.
	listWithin = 15 * time.Second
	// nodesEvery and nodesWithin say how often the nodes of IOCs that are not ready are
	// looked at. One that does not answer takes its time.
	nodesEvery  = 5 * time.Second
	nodesWithin = 10 * time.Second
	// compareEvery is how often objects are compared with the release where nothing
	// shows that they changed, and retryAfter when that failed.
	compareEvery = 5 * time.Minute
	retryAfter   = 20 * time.Second
)

// scribe keeps the reading of one beamline on the board.
type scribe struct {
	*mirror
	board *Board
	drift func(ctx context.Context, facts status.Facts, instance string) ([]string, error)

	dirty   chan struct{} // holds one when the mirror changed
	compare chan struct{} // holds one when an instance must be compared
	last    reading       // what is on the board

	drifts   sync.Map // by instance: comparison
	released atomic.Pointer[releases]
}

// comparison is what differed when an instance was compared with its release.
type comparison struct {
	key   string // of what was compared
	drift []string
}

// follow is the follower of the real cluster.
func follow(ctx context.Context, b *Board, at place, found ledger.Reached) {
	newScribe(b, at, found, func(ctx context.Context, f status.Facts, instance string) ([]string, error) {
		return helm.Drift(ctx, found.Namespace, instance, f.Ledger.Overrides[instance])
	}).run(ctx)
}

func newScribe(
	b *Board, at place, found ledger.Reached,
	drift func(context.Context, status.Facts, string) ([]string, error),
) *scribe {
	s := &scribe{board: b, drift: drift, dirty: make(chan struct{}, 1), compare: make(chan struct{}, 1)}
	s.mirror = newMirror(found.Namespace, func() { poke(s.dirty) })
	s.last = reading{place: at, context: found.Context, beamline: found.Namespace.Beamline, namespace: found.Namespace,
		failed: "it is being read for the first time"}
	return s
}

// poke leaves a sign where there is none.
func poke(sign chan struct{}) {
	select {
	case sign <- struct{}{}:
	default:
	}
}

// run follows the beamline until ctx ends.
func (s *scribe) run(ctx context.Context) {
	s.board.put(s.last)
	var all sync.WaitGroup
	all.Go(func() { s.mirror.run(ctx) })
	all.Go(func() { s.beat(ctx) })
	all.Go(func() { s.look(ctx) })
	all.Go(func() { s.compareAll(ctx) })
	all.Go(func() { s.ask(ctx) })
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-s.dirty:
			s.write()
			wait(ctx, settleFor)
		case <-time.After(beatEvery): // the time of the reading moves
			s.write()
		}
	}
	all.Wait()
}

// write puts on the board what the mirror shows.
func (s *scribe) write() {
	next := s.last
	next.failed = s.failed()
	if s.whole() {
		facts, err := s.facts()
		if err != nil {
			next.failed = err.Error()
		} else if st, comparing := s.judge(facts); comparing != next.comparing || !reflect.DeepEqual(st, next.status) {
			next.status, next.comparing = st, comparing
		}
		if next.status != nil {
			next.promoted = s.mirror.promoted(next.status.Version)
			next.newer = s.released.Load().newer(next.status.Version)
		}
		next.rules = s.mirror.rules(next.rules)
	}
	switch {
	case next.status == nil && next.failed == "":
		next.failed = s.last.failed
	case next.failed == "":
		next.read = time.Now()
	}
	s.last = next
	s.board.put(next)
}

// judge returns the status, and whether some instances were not compared yet.
func (s *scribe) judge(f status.Facts) (st *status.Status, comparing bool) {
	st = f.Status(s.n)
	for i := range st.Instances {
		inst := &st.Instances[i]
		if !f.Deployed(inst.Name) {
			continue
		}
		known, current := s.compared(f, inst.Name)
		if !current {
			comparing = true
			poke(s.compare)
		}
		inst.Drift = append(inst.Drift, known.drift...)
	}
	return st, comparing
}

// compared returns the last comparison of an instance, zero where there was none,
// and reports whether nothing changed since.
func (s *scribe) compared(f status.Facts, instance string) (last comparison, current bool) {
	if known, ok := s.drifts.Load(instance); ok {
		last = known.(comparison)
	}
	return last, last.key == s.key(f, instance)
}

// key changes with what an instance's release asks for and what its Deployment does.
func (s *scribe) key(f status.Facts, instance string) string {
	last, _ := f.History.Latest(instance)
	o := f.Ledger.Overrides[instance]
	return fmt.Sprintf("%d %s %d %t %s", last.Number, last.Status, s.generation(instance), o.Stopped != nil, o.Node)
}

// beat asks the cluster for something small again and again.
func (s *scribe) beat(ctx context.Context) {
	maps := s.n.Metadata.Resource(corev1.SchemeGroupVersion.WithResource("configmaps")).Namespace(s.n.Name)
	for ctx.Err() == nil {
		beat, cancel := context.WithTimeout(ctx, beatWithin)
		_, err := maps.Get(beat, ledger.Name, metav1.GetOptions{ResourceVersion: "0"})
		cancel()
		if apierrors.IsNotFound(err) {
			err = nil // the cluster answered; a beamline that is gone is dropped by who looks for beamlines
		}
		s.note(ctx, "namespace "+s.n.Name, err)
		s.lookAtLock(ctx)
		wait(ctx, beatEvery)
	}
}

// look looks at the nodes again and again.
func (s *scribe) look(ctx context.Context) {
	for ctx.Err() == nil {
		s.lookAtNodes(ctx)
		wait(ctx, nodesEvery)
	}
}

// compareAll compares instances with their releases: those that changed at once,
// all of them now and then, because a ConfigMap that somebody changed by hand is
// not in the mirror.
func (s *scribe) compareAll(ctx context.Context) {
	sweep := time.NewTicker(compareEvery)
	defer sweep.Stop()
	all := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.compare:
		case <-sweep.C:
			all = true
		}
		err := s.compareSome(ctx, all)
		s.note(ctx, "what was changed by hand", err)
		poke(s.dirty)
		if err != nil {
			wait(ctx, retryAfter)
			poke(s.compare)
			continue
		}
		all = false
	}
}

// compareSome compares the instances that changed since they were compared, or all.
func (s *scribe) compareSome(ctx context.Context, all bool) error {
	if !s.whole() {
		return nil
	}
	facts, err := s.facts()
	if err != nil {
		return err
	}
	var names []string
	for _, inst := range facts.Status(s.n).Instances {
		if !facts.Deployed(inst.Name) {
			continue
		}
		if _, current := s.compared(facts, inst.Name); all || !current {
			names = append(names, inst.Name)
		}
	}
	return step.Each(ctx, 4, names, func(ctx context.Context, name string) error {
		key := s.key(facts, name)
		drift, err := s.drift(ctx, facts, name)
		if err == nil {
			s.drifts.Store(name, comparison{key, drift})
		}
		return err
	})
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
