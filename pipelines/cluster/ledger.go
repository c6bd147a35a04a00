package cluster

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// Release is one release of a beamline in a cluster.
type Release struct {
	Record record.Record `json:"record"` // without what was built and tested, which can be larger than an object may be
	Digest string        `json:"digest"` // of the record in its registry
	Since  time.Time     `json:"since"`  // when it was promoted
}

// title is what `helm history` shows.
func (r Release) title() string { return r.Record.Tag + " " + r.Digest }

// Underway is a change of the beamline that began and has not ended. It is
// written before the first instance is touched, so that the next run knows what
// to put back if this one is killed.
type Underway struct {
	Version string         `json:"version"` // where the beamline was going
	Since   time.Time      `json:"since"`
	Former  map[string]int `json:"former"`            // by instance: its Helm revision before; 0 for an instance that was not there
	Unready []string       `json:"unready,omitempty"` // those of them that were not ready before; once put back, they need not be
}

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

	seen *corev1.ConfigMap // as it was read; nil when there is none yet
}

// Current gives the release that runs, nil before the first promotion.
func (l *Ledger) Current() *Release {
	if len(l.Releases) == 0 {
		return nil
	}
	return &l.Releases[0]
}

// Push makes rel the release that runs. The release that already runs stays
// where it is.
func (l *Ledger) Push(rel Release) {
	rel.Record.Checks, rel.Record.Artifacts, rel.Record.Sources, rel.Record.Parents = nil, nil, nil, nil
	if now := l.Current(); now != nil && now.Digest == rel.Digest {
		return
	}
	l.Releases = append([]Release{rel}, l.Releases...)
	if len(l.Releases) > keep {
		l.Releases = l.Releases[:keep]
	}
}

// Return makes rel, the i-th release, run again and forgets those after it.
func (l *Ledger) Return(i int, rel Release) { l.Releases = append([]Release{rel}, l.Releases[i+1:]...) }

const (
	ledgerName = "tagline"
	ledgerKey  = "ledger.json"
)

// Ledger reads what the namespace remembers; an empty Ledger when nothing was
// ever promoted there. It is an error of kind diag.Refused when the namespace
// is another beamline's.
func (n *Namespace) Ledger(ctx context.Context) (*Ledger, error) {
	cm, err := n.client.CoreV1().ConfigMaps(n.Name).Get(ctx, ledgerName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return &Ledger{}, nil
	}
	if err != nil {
		return nil, n.broken("reading what runs in namespace "+n.Name, err)
	}
	if owner := cm.Labels[labelBeamline]; owner != n.Beamline {
		return nil, &diag.Error{Kind: diag.Refused, Doing: "opening namespace " + n.Name + " for", Asset: n.Beamline,
			Err: fmt.Errorf("beamline %q runs there", owner), Fix: "give each beamline a namespace of its own in beamline.yaml"}
	}
	l := &Ledger{seen: cm}
	if err := json.Unmarshal([]byte(cm.Data[ledgerKey]), l); err != nil {
		return nil, &diag.Error{Kind: diag.Broken, Doing: "reading what runs in namespace " + n.Name, Err: err,
			Fix: "mend or delete ConfigMap " + ledgerName + " there; deleting it forgets the former releases"}
	}
	return l, nil
}

// largest is how many bytes a ledger may take: an object of Kubernetes holds a
// megabyte.
const largest = 900_000

// text gives the ledger as JSON, without the oldest releases where a beamline of
// many instances would not fit.
func (l *Ledger) text() ([]byte, error) {
	for {
		text, err := json.Marshal(l)
		if err != nil || len(text) <= largest || len(l.Releases) <= 2 {
			return text, err
		}
		l.Releases = l.Releases[:len(l.Releases)-1]
	}
}

// Save writes the ledger. It fails when somebody else wrote since it was read.
func (n *Namespace) Save(ctx context.Context, l *Ledger) error {
	text, err := l.text()
	if err != nil {
		return fmt.Errorf("writing what runs in namespace %s: %w", n.Name, err)
	}
	maps := n.client.CoreV1().ConfigMaps(n.Name)
	var saved *corev1.ConfigMap
	if l.seen == nil {
		saved, err = maps.Create(ctx, &corev1.ConfigMap{
			ObjectMeta: metav1.ObjectMeta{Name: ledgerName, Labels: map[string]string{labelBeamline: n.Beamline}},
			Data:       map[string]string{ledgerKey: string(text)},
		}, metav1.CreateOptions{})
	} else {
		next := l.seen.DeepCopy()
		next.Data = map[string]string{ledgerKey: string(text)}
		saved, err = maps.Update(ctx, next, metav1.UpdateOptions{})
	}
	if apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) {
		return n.broken("writing what runs in namespace "+n.Name, fmt.Errorf("somebody else changed it meanwhile"))
	}
	if err != nil {
		return n.broken("writing what runs in namespace "+n.Name, err)
	}
	l.seen = saved
	return nil
}
