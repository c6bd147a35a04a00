// Package page serves one page of all beamlines. It shows the worst first, keeps
// what it could not read in sight, and changes nothing.
package page

import (
	"context"
	"crypto/sha256"
	"fmt"
	"sync"
	"time"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/channelaccess"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/status"
)

// place is where a beamline runs. It is the same through each context of a
// kubeconfig that reaches it.
type place struct {
	server    string // address of the cluster; the context's name where that is not known
	namespace string // empty for a cluster that could not be read
}

// id returns the place as an identifier in HTML.
func (p place) id() string {
	return fmt.Sprintf("b%x", sha256.Sum256([]byte(p.server+" "+p.namespace)))[:17]
}

// reading is what is known of a beamline, or of a cluster that could not be read.
// What it points to is never changed.
type reading struct {
	place     place
	context   string
	beamline  string             // empty for a cluster
	namespace *cluster.Namespace // nil for a cluster
	status    *status.Status     // as it was last read; nil when it never was
	promoted  promoted           // how what runs came to run
	rules     rules              // the policy
	newer     string             // the releases that are newer than what runs, or why they are not known
	comparing bool               // some IOCs were not yet compared with their release
	read      time.Time          // when the status was last known to be true
	failed    string             // why it is not known now
}

// promoted is how a release came to run.
type promoted struct {
	By       string `json:"by,omitempty"`       // the run
	Approved string `json:"approved,omitempty"` // by whom
	Override string `json:"override,omitempty"` // who overrode the policy for it, and why
}

// rules are a beamline's policy, and the text that it was read from. It is nil where there
// is none, or none that can be read.
type rules struct {
	text   string
	policy *policy.Policy
}

// same reports whether a person would see no difference. While reading goes well,
// its time is no news.
func (r reading) same(other reading) bool {
	return r.status == other.status && r.promoted == other.promoted && r.rules == other.rules &&
		r.newer == other.newer && r.comparing == other.comparing && r.failed == other.failed
}

// Board is what is known of all beamlines. It is safe for use by several
// goroutines.
type Board struct {
	mu       sync.Mutex
	readings map[place]reading
	number   int           // counts the changes, from one that no board before it had
	changed  chan struct{} // closed at the next change

	released Released
	lists    lists
	asker    *asker
}

// Released returns the versions of a beamline that were released, the newest first.
type Released func(ctx context.Context, beamline string) ([]asset.Version, error)

// NewBoard returns a board on which nothing is known yet. Where released is nil, the board
// does not know of newer releases.
func NewBoard(released Released) *Board {
	return &Board{
		released: released,
		readings: map[place]reading{}, changed: make(chan struct{}), lists: lists{kept: map[place]list{}},
		number: int(time.Now().UnixMicro()), asker: newAsker(channelaccess.Read),
	}
}

// put sets what is known of a place.
func (b *Board) put(r reading) {
	b.mu.Lock()
	defer b.mu.Unlock()
	before, known := b.readings[r.place]
	b.readings[r.place] = r
	if !known || !r.same(before) {
		b.tell()
	}
}

// drop forgets a place.
func (b *Board) drop(p place) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, known := b.readings[p]; known {
		delete(b.readings, p)
		b.tell()
	}
}

func (b *Board) tell() {
	b.number++
	close(b.changed)
	b.changed = make(chan struct{})
}

// now returns what is known of all places in no order, the number of changes so
// far, and what is closed at the next one.
func (b *Board) now() (all []reading, number int, changed <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, r := range b.readings {
		all = append(all, r)
	}
	return all, b.number, b.changed
}

// find returns the beamline in a namespace that a context reaches.
func (b *Board) find(context, namespace string) (reading, bool) {
	all, _, _ := b.now()
	for _, r := range all {
		if r.context == context && r.namespace != nil && r.namespace.Name == namespace {
			return r, true
		}
	}
	return reading{}, false
}
