// Package status gathers what a beamline runs and how that differs from its
// release.
package status

import (
	"context"
	"slices"
	"time"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/helm"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Status is what a beamline runs.
type Status struct {
	Beamline  string    `json:"beamline"`
	Namespace string    `json:"namespace"`
	Version   string    `json:"version"`            // of the release that runs; empty before the first promotion
	Record    string    `json:"record"`             // its digest
	Since     time.Time `json:"since"`              // when it was promoted
	Before    []string  `json:"before"`             // versions that ran before it, newest first
	Underway  string    `json:"underway,omitempty"` // version a promotion under way, or killed, was going to
	Instances []IOC     `json:"instances"`          // sorted by name
	Strays    []string  `json:"strays"`             // pods in the namespace that are no IOC of ours

	Hold *ledger.Note `json:"hold,omitempty"` // that a rollback placed

	Changing string `json:"changing,omitempty"` // the run that changes it now; empty where none is known
	// when that run began; zero where none is known
	ChangingSince time.Time `json:"changingSince,omitzero"`

	Killed bool `json:"killed,omitempty"` // nobody goes on with what is Underway
}

// IOC is one line of a Status.
type IOC struct {
	Name     string    `json:"name"`
	Version  string    `json:"version"` // of the beamline, as its Helm release has it
	IOC      string    `json:"ioc"`     // the generic IOC: "ioc-simstage 1.0.0"
	Digest   string    `json:"digest"`  // of the image that the pod runs: "sha256:…"
	Pod      string    `json:"pod"`
	UID      string    `json:"uid"` // of the pod: a new one means that the IOC was restarted
	Node     string    `json:"node"`
	Ready    bool      `json:"ready"`
	Restarts int       `json:"restarts"`
	Ended    string    `json:"ended,omitempty"` // how it ended before the last restart
	Since    time.Time `json:"since"`           // when the IOC was started
	Doing    string    `json:"doing"`           // one phrase
	Drift    []string  `json:"drift"`           // where the cluster differs from the release

	Stopped *ledger.Note `json:"stopped,omitempty"` // who stopped it on purpose, and why
	Moved   string       `json:"moved,omitempty"`   // the node that it was moved to

	// Acknowledged says who knows of its trouble. See Settle.
	Acknowledged *ledger.Acknowledgement `json:"acknowledged,omitempty"`

	generation int64     // of the Deployment
	turned     time.Time // when it last became ready, or ceased to be
}

// Facts are what a namespace holds of its beamline, however they were read.
type Facts struct {
	Ledger  *ledger.Ledger
	History helm.History
	States  map[string]pods.State // by instance
	Strays  []string

	Acknowledged map[string]ledger.Acknowledgement // by instance

	Lock ledger.Holding // who changes the beamline now
}

// Read asks the cluster what the beamline runs. What was acknowledged and no longer
// holds is left out.
func Read(ctx context.Context, n *cluster.Namespace) (*Status, error) {
	f, err := gather(ctx, n)
	if err != nil {
		return nil, err
	}
	st := f.Status(n)
	err = step.EachIndex(ctx, 8, len(st.Instances), func(ctx context.Context, i int) error {
		inst := &st.Instances[i]
		if !f.Deployed(inst.Name) {
			return nil
		}
		drift, err := helm.Drift(ctx, n, inst.Name, f.Ledger.Overrides[inst.Name])
		inst.Drift = append(inst.Drift, drift...)
		return err
	})
	for i := range st.Instances {
		st.Instances[i].Settle(time.Now())
	}
	return st, err
}

// free reports whether nobody changes the beamline.
func (f Facts) free() bool { return f.Lock.Known && f.Lock.Run == "" }

// gather reads the facts. It ends when a cluster takes a request and does not answer it.
func gather(ctx context.Context, n *cluster.Namespace) (f Facts, err error) {
	ctx, cancel := context.WithTimeout(ctx, cluster.RequestTimeout)
	defer cancel()
	if f.Ledger, err = ledger.Read(ctx, n); err != nil {
		return f, err
	}
	if f.Lock, err = ledger.Holder(ctx, n); err != nil {
		return f, err
	}
	if f.Ledger.Underway != nil && f.free() { // it may have ended meanwhile
		if f.Ledger, err = ledger.Read(ctx, n); err != nil {
			return f, err
		}
	}
	if f.History, err = helm.Stored(ctx, n); err != nil {
		return f, err
	}
	if f.States, f.Strays, err = pods.States(ctx, n); err != nil {
		return f, err
	}
	f.Acknowledged, err = ledger.Acknowledged(ctx, n)
	return f, err
}

// Change returns what is known of a change that began and has not ended, in one phrase:
// empty where there is none.
func (s *Status) Change() string {
	switch {
	case s.Underway == "" && s.Changing == "":
		return ""
	case s.Underway == "":
		return s.Changing + " is changing it"
	case s.Changing != "":
		return "a change to " + s.Underway + " is under way, by " + s.Changing
	case s.Killed:
		return "a change to " + s.Underway + " was killed"
	}
	return "a change to " + s.Underway + " is under way, or was killed"
}

// Status returns what the beamline runs, without what helm.Drift finds, and with
// everything that was acknowledged: see IOC.Settle.
func (f Facts) Status(n *cluster.Namespace) *Status {
	st := &Status{Beamline: n.Beamline, Namespace: n.Name, Before: []string{}, Instances: []IOC{}, Strays: f.Strays}
	if f.Strays == nil {
		st.Strays = []string{}
	}
	rec := &record.Record{}
	if now := f.Ledger.Current(); now != nil {
		rec = &now.Record
		st.Version, st.Record, st.Since = rec.Version.String(), string(now.Digest), now.Since
		for _, former := range f.Ledger.Releases[1:] {
			st.Before = append(st.Before, former.Record.Version.String())
		}
	}
	if f.Ledger.Underway != nil {
		st.Underway, st.Killed = f.Ledger.Underway.Version.String(), f.free()
	}
	st.Changing, st.ChangingSince = f.Lock.Run, f.Lock.Since
	st.Hold = f.Ledger.Hold
	for _, name := range names(rec, f.History, n.Beamline) {
		line := ioc(rec, name, f.History, f.States[name])
		line.set(f.Ledger.Overrides[name])
		if a, ok := f.Acknowledged[name]; ok {
			line.Acknowledged = &a
		}
		st.Instances = append(st.Instances, line)
	}
	return st
}

// Deployed reports whether the objects of an instance are meant to be in the
// cluster, so that helm.Drift can compare them.
func (f Facts) Deployed(instance string) bool {
	last, ok := f.History.Latest(instance)
	return ok && last.Runs()
}

// set adds what people set for the instance beside its release.
func (i *IOC) set(o ledger.Override) {
	i.Stopped, i.Moved = o.Stopped, o.Node
	if o.Stopped != nil && i.Pod == "" {
		i.Doing = "stopped by " + o.Stopped.String()
	}
}

// names returns, sorted, the instances of the record and those that Helm has in
// the cluster for the beamline though the record does not.
func names(rec *record.Record, history helm.History, beamline string) (all []string) {
	for _, inst := range rec.Instances {
		all = append(all, inst.Name)
	}
	for name, revisions := range history {
		if revisions[0].Beamline == beamline && revisions[0].Status != "uninstalled" && !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

// ioc returns the line of one instance, with its drift from the record.
func ioc(rec *record.Record, name string, history helm.History, s pods.State) IOC {
	line := IOC{
		Name:     name,
		Pod:      s.Pod,
		UID:      s.UID,
		Node:     s.Node,
		Ready:    s.Ready,
		Restarts: s.Restarts,
		Ended:    s.Ended,
		Since:    s.Since,
		Doing:    s.Doing,
		Drift:    []string{},

		generation: s.Generation,
		turned:     s.Turned,
	}
	line.Digest = string(asset.Ref(s.Image).Digest())
	last, deployed := history.Latest(name)
	line.Version = last.Version
	i := slices.IndexFunc(rec.Instances, func(i record.Instance) bool { return i.Name == name })
	if i < 0 {
		line.Drift = append(line.Drift, "it is not in the release")
		return line
	}
	want := rec.Instances[i]
	line.IOC = want.Runs()
	switch {
	case !deployed || last.Status == "uninstalled":
		line.Doing = "not in the cluster"
		line.Drift = append(line.Drift, "it is not in the cluster")
	case last.Interrupted():
		line.Drift = append(line.Drift, "its Helm release is "+last.Status)
	case !last.IsOf(want.Chart):
		line.Drift = append(line.Drift, "its Helm release is of another chart, version "+last.Version)
	}
	return line
}
