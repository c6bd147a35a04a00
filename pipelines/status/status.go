// Package status gathers what a beamline runs and how that differs from its
// release.
package status

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

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
	Since    time.Time `json:"since"` // when the IOC was started
	Doing    string    `json:"doing"` // one phrase
	Drift    []string  `json:"drift"` // where the cluster differs from the release

	Stopped *ledger.Note `json:"stopped,omitempty"` // who stopped it on purpose, and why
	Moved   string       `json:"moved,omitempty"`   // the node that it was moved to
}

// Read asks the cluster what the beamline runs.
func Read(ctx context.Context, n *cluster.Namespace) (*Status, error) {
	past, err := ledger.Read(ctx, n)
	if err != nil {
		return nil, err
	}
	history, err := helm.Stored(ctx, n)
	if err != nil {
		return nil, err
	}
	states, strays, err := pods.States(ctx, n)
	if err != nil {
		return nil, err
	}
	st := &Status{Beamline: n.Beamline, Namespace: n.Name, Before: []string{}, Instances: []IOC{}, Strays: strays}
	if strays == nil {
		st.Strays = []string{}
	}
	rec := &record.Record{}
	if now := past.Current(); now != nil {
		rec = &now.Record
		st.Version, st.Record, st.Since = rec.Version.String(), string(now.Digest), now.Since
		for _, former := range past.Releases[1:] {
			st.Before = append(st.Before, former.Record.Version.String())
		}
	}
	if past.Underway != nil {
		st.Underway = past.Underway.Version.String()
	}
	st.Hold = past.Hold
	for _, name := range names(rec, history, n.Beamline) {
		line := ioc(rec, name, history, states[name])
		line.set(past.Overrides[name])
		st.Instances = append(st.Instances, line)
	}
	return st, step.Each(ctx, 8, indices(st.Instances), func(ctx context.Context, i int) error {
		return compare(ctx, n, &st.Instances[i], history, past.Overrides[st.Instances[i].Name])
	})
}

// set adds what people set for the instance beside its release.
func (i *IOC) set(o ledger.Override) {
	i.Stopped, i.Moved = o.Stopped, o.Node
	if o.Stopped != nil && i.Pod == "" {
		i.Doing = fmt.Sprintf("stopped by %s: %s", o.Stopped.By, o.Stopped.Reason)
	}
}

// compare adds the drift of one instance.
func compare(ctx context.Context, n *cluster.Namespace, i *IOC, history helm.History, o ledger.Override) error {
	last, ok := history.Latest(i.Name)
	if !ok || !last.Runs() {
		return nil
	}
	drift, err := helm.Drift(ctx, n, i.Name, o)
	i.Drift = append(i.Drift, drift...)
	return err
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
		Since:    s.Since,
		Doing:    s.Doing,
		Drift:    []string{},
	}
	_, line.Digest, _ = strings.Cut(s.Image, "@")
	last, deployed := history.Latest(name)
	line.Version = last.Version
	i := slices.IndexFunc(rec.Instances, func(i record.Instance) bool { return i.Name == name })
	if i < 0 {
		line.Drift = append(line.Drift, "it is not in the release")
		return line
	}
	want := rec.Instances[i]
	line.IOC = want.IOC.String()
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

func indices[T any](items []T) []int {
	at := make([]int, len(items))
	for i := range items {
		at[i] = i
	}
	return at
}
