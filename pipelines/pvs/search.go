package pvs

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Match is a PV that was found in a beamline.
type Match struct {
	PV
	Context  string `json:"context"` // of the kubeconfig
	Beamline string `json:"beamline"`
	Version  string `json:"version"`          // of the release that runs
	Value    string `json:"value,omitempty"`  // what it says now, where it was asked
	Note     string `json:"note,omitempty"`   // what it says, where that is no value that can be shown
	Failed   string `json:"failed,omitempty"` // why it does not answer, where it was asked
}

// mostAsked is how many PVs a search asks for their values.
const mostAsked = 50

// Search finds PVs in the releases that run in the beamlines, and asks for their
// values where there are few enough. Beamlines that could not be read are in the
// error, beside what was found in the others.
func Search(ctx context.Context, beamlines []ledger.Reached, patterns []string) ([]Match, error) {
	found := make([][]Match, len(beamlines))
	places := make([]int, len(beamlines))
	for i := range places {
		places[i] = i
	}
	err := step.Each(ctx, 8, places, func(ctx context.Context, i int) (err error) {
		if err = beamlines[i].Err; err == nil {
			found[i], err = search(ctx, beamlines[i], patterns)
		}
		return err
	})
	return slices.Concat(found...), err
}

// search finds the PVs of one beamline.
func search(ctx context.Context, b ledger.Reached, patterns []string) ([]Match, error) {
	look, cancel := context.WithTimeout(ctx, cluster.RequestTimeout)
	defer cancel()
	l, err := ledger.Read(look, b.Namespace)
	if err != nil || l.Current() == nil {
		return nil, err
	}
	lines, err := Read(look, b.Namespace, l.Current().Digest)
	if err != nil {
		return nil, err
	}
	all, err := Find(lines, patterns)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	states, _, err := pods.States(look, b.Namespace)
	if err != nil {
		return nil, err
	}
	matches := make([]Match, len(all))
	for i, pv := range all {
		matches[i] = Match{
			PV: pv, Context: b.Context, Beamline: b.Namespace.Beamline, Version: l.Current().Record.Version.String(),
		}
	}
	if len(all) > mostAsked {
		return matches, nil
	}
	protocols := protocolsOf(&l.Current().Record)
	pointers := make([]*Match, len(matches))
	for i := range matches {
		pointers[i] = &matches[i]
	}
	return matches, step.Each(ctx, 8, pointers, func(ctx context.Context, m *Match) error {
		m.ask(ctx, b, states[m.Instance], protocols[m.Instance])
		return nil
	})
}

// ask reads the value.
func (m *Match) ask(ctx context.Context, b ledger.Reached, s pods.State, protocol string) {
	switch {
	case s.Pod == "":
		m.Failed = strings.TrimSuffix("its IOC has no pod: "+s.Doing, ": ")
		return
	case s.IsAway(): // nobody would answer for half a minute
		m.Failed = s.Doing
		return
	}
	value, err := pods.ReadPV(ctx, b.Namespace, s, m.Name, protocol)
	m.tell(value, err, protocol)
}

// tell fills in what a PV said.
func (m *Match) tell(value string, err error, protocol string) {
	switch m.Value = value; {
	case errors.Is(err, pods.ErrEmpty) && protocol == "pva":
		m.Note = fmt.Sprintf(
			"an empty text, or a structure: see tagline shell %s %s, and there pvget %s",
			m.Beamline, m.Instance, m.Name,
		)
	case errors.Is(err, pods.ErrEmpty):
		m.Note = "an empty text"
	case err != nil:
		m.Failed = err.Error()
	}
}

func protocolsOf(rec *record.Record) map[string]string {
	protocols := map[string]string{}
	for _, inst := range rec.Instances {
		protocols[inst.Name] = inst.Protocol
	}
	return protocols
}
