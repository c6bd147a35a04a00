// Package ledger holds what a namespace remembers of its beamline, and the lock
// under which it is changed.
package ledger

import (
	"encoding/json"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// Release is one release of a beamline in a cluster.
type Release struct {
	Record record.Record `json:"record"` // without what was built and tested, which can be larger than an object may be
	Digest asset.Digest  `json:"digest"` // of the record in its registry
	Since  time.Time     `json:"since"`  // when it was promoted
	// Signatures are those of the record and of the records of what it runs, as they
	// were verified then.
	Signatures []record.Signature `json:"signatures,omitempty"`
	// Needs is by instance what its chart needs beyond an IOC, as it was judged then:
	// nothing else is deployed of it.
	Needs map[string][]string `json:"needs,omitempty"`
}

// Title is what `helm history` shows.
func (r Release) Title() string { return r.Record.Tag.String() + " " + string(r.Digest) }

// Underway is a change of the beamline that began and has not ended. It is
// written before the first instance is touched, so that the next run knows what
// to put back if this one is killed.
type Underway struct {
	Version asset.Version `json:"version"` // where the beamline was going
	Since   time.Time     `json:"since"`
	// Former holds by instance its Helm revision before; 0 for an instance that
	// was not there.
	Former map[string]int `json:"former"`
	// Unready are the instances that were not ready before; once put back, they
	// need not be.
	Unready []string `json:"unready,omitempty"`
	// Severities holds by PV of the policy's verify the alarm severity before, without
	// those that did not answer.
	Severities map[string]string `json:"severities,omitempty"`
	// Stopped holds by instance that the change itself stops, or lets run, who had
	// stopped it before; nil for nobody.
	Stopped map[string]*Note `json:"stopped,omitempty"`
}

// Note says who did something, when and why.
type Note struct {
	By     string    `json:"by"`
	Since  time.Time `json:"since"`
	Reason string    `json:"reason,omitempty"`
	// Release is true where no person did it: the release says it of its instance.
	Release bool `json:"release,omitempty"`
}

// String returns who did it, when, and why; of a release, not when.
func (n Note) String() string {
	at := ""
	if !n.Since.IsZero() && !n.Release {
		at = " at " + clock(n.Since)
	}
	return n.By + at + ": " + n.Reason
}

// Override is what people set for one instance beside its chart. It lasts
// through promotions.
type Override struct {
	Stopped *Note  `json:"stopped,omitempty"` // the instance has no pod until it is started
	Node    string `json:"node,omitempty"`    // the node it was moved to; empty where the chart decides
}

// none reports whether nothing is set.
func (o Override) none() bool { return o == Override{} }

// Ledger is what a namespace remembers of its beamline.
//
// It is one ConfigMap, because it is the simplest thing that survives us and
// the registry, that kubectl shows to whoever comes after, that is replaced
// whole with the version it was read at, and that holds history: Helm's own
// secrets know instances only, not which release of the beamline they belong to
// nor what came before it.
type Ledger struct {
	Releases []Release `json:"releases"` // the first runs now, those after it ran before
	Underway *Underway `json:"underway,omitempty"`
	// Hold is set by a rollback: somebody must lift it before the next promotion.
	Hold *Note `json:"hold,omitempty"`
	// Overrides holds by instance what people set beside the release.
	Overrides map[string]Override `json:"overrides,omitempty"`

	seen *corev1.ConfigMap // as it was read; nil when there is none yet
}

// keep is how many releases a ledger remembers.
const keep = 10

// Current returns the release that runs, nil before the first promotion.
func (l *Ledger) Current() *Release {
	if len(l.Releases) == 0 {
		return nil
	}
	return &l.Releases[0]
}

// Push makes rel the release that runs. The release that already runs stays
// where it is.
func (l *Ledger) Push(rel Release) {
	rel.Record.Checks, rel.Record.Artifacts, rel.Record.Sources = nil, nil, nil
	if now := l.Current(); now != nil && now.Digest == rel.Digest {
		return
	}
	l.Releases = slices.Insert(l.Releases, 0, rel)
	if len(l.Releases) > keep {
		l.Releases = l.Releases[:keep]
	}
}

// Return makes rel, a release that ran before, run again and forgets those after
// it. It is found by its digest: the oldest ones may have been dropped since it
// was chosen.
func (l *Ledger) Return(rel Release) {
	i := slices.IndexFunc(l.Releases, func(r Release) bool { return r.Digest == rel.Digest })
	if i < 0 {
		i = len(l.Releases) - 1
	}
	l.Releases = append([]Release{rel}, l.Releases[i+1:]...)
}

// Override sets what people want for one instance beside its chart.
func (l *Ledger) Override(instance string, o Override) {
	if l.Overrides == nil {
		l.Overrides = map[string]Override{}
	}
	l.Overrides[instance] = o
	if o.none() {
		delete(l.Overrides, instance)
	}
}

// SetStopped sets who stopped an instance, nil for nobody.
func (l *Ledger) SetStopped(instance string, note *Note) {
	o := l.Overrides[instance]
	o.Stopped = note
	l.Override(instance, o)
}

// Keep lets an instance stay stopped, or run, when a change that is under way is put
// back: a person said so since.
func (l *Ledger) Keep(instance string) {
	if l.Underway != nil {
		delete(l.Underway.Stopped, instance)
	}
}

// Unstop takes back which instances the change under way stopped or let run.
func (l *Ledger) Unstop() {
	for instance, note := range l.Underway.Stopped {
		l.SetStopped(instance, note)
	}
}

// largest is how many bytes a ledger may take: an object of Kubernetes holds a
// megabyte.
const largest = 900_000

// text returns the ledger as JSON, without the oldest releases where a beamline
// of many instances would not fit.
func (l *Ledger) text() ([]byte, error) {
	for {
		text, err := json.Marshal(l)
		if err != nil || len(text) <= largest || len(l.Releases) <= 2 {
			return text, err
		}
		l.Releases = l.Releases[:len(l.Releases)-1]
	}
}
