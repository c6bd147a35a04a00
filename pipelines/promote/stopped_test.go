package promote

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/helm"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/record"
)

var (
	byPerson  = &ledger.Note{By: "ada", Reason: "motor is being replaced"}
	byRelease = &ledger.Note{By: "release 1.0.0", Reason: asWritten, Release: true}
)

// A release says how an instance begins; people say when it runs and stops.
func TestStopAndStart(t *testing.T) {
	deployed := helm.History{"a": {rev(1, "deployed", "2")}}
	uninstalled := helm.History{"a": {rev(1, "uninstalled", "2")}}
	for name, c := range map[string]struct {
		history helm.History
		killed  *ledger.Underway
		was     *ledger.Note
		gone    bool // not in the release
		stopped bool // the release says start: false
		want    string
		changed bool
	}{
		"it comes":                    {},
		"it comes stopped":            {stopped: true, want: "release 2.0.0", changed: true},
		"it runs":                     {history: deployed, stopped: true},
		"it waits":                    {history: deployed, stopped: true, was: byRelease, want: "release 1.0.0"},
		"it waits no longer":          {history: deployed, was: byRelease, changed: true},
		"a person stopped it":         {history: deployed, was: byPerson, want: "ada"},
		"a person stopped it as well": {history: deployed, stopped: true, was: byPerson, want: "ada"},
		"it comes back":               {history: uninstalled, stopped: true, want: "release 2.0.0", changed: true},
		"it comes back, and waits": {
			history: uninstalled, stopped: true, was: byRelease, want: "release 1.0.0",
		},
		"it comes back to run":             {history: uninstalled, was: byRelease, changed: true},
		"it comes back as a person had it": {history: uninstalled, was: byPerson, want: "ada"},
		"it leaves":                        {history: deployed, gone: true, was: byRelease, changed: true},
		"it leaves as a person had it":     {history: deployed, gone: true, was: byPerson, want: "ada"},
		"a killed promotion brought it stopped": {
			history: deployed, killed: &ledger.Underway{
				Former: map[string]int{"a": 0}, Stopped: map[string]*ledger.Note{"a": nil},
			},
			stopped: true, was: byRelease, want: "release 2.0.0", changed: true,
		},
		"a killed promotion of this release did": {
			history: helm.History{"a": {rev(1, "deployed", "1")}}, killed: &ledger.Underway{
				Former: map[string]int{"a": 0}, Stopped: map[string]*ledger.Note{"a": nil},
			},
			stopped: true, was: byRelease, want: "release 2.0.0", changed: true,
		},
		"a killed promotion brought it to run": {
			history: deployed, killed: &ledger.Underway{Former: map[string]int{"a": 0}},
			stopped: true, want: "release 2.0.0", changed: true,
		},
		"a killed promotion let it run": {
			history: deployed, killed: &ledger.Underway{
				Former: map[string]int{"a": 1}, Stopped: map[string]*ledger.Note{"a": byRelease},
			},
			stopped: true, want: "release 1.0.0",
		},
		"it is what runs": {history: helm.History{"a": {rev(1, "deployed", "1")}}, stopped: true},
	} {
		t.Run(name, func(t *testing.T) {
			m := &move{ledger: &ledger.Ledger{}, to: releaseOf("2.0.0")}
			m.to.Record.Instances = nil
			if !c.gone {
				m.to.Record.Instances = []record.Instance{{Name: "a", Chart: chartOf("1"), Stopped: c.stopped}}
			}
			m.ledger.SetStopped("a", c.was)
			was := c.was
			if m.ledger.Underway = c.killed; c.killed != nil {
				was = c.killed.Stopped["a"]
			}
			former := m.stopAndStart(decide(&m.to.Record, c.history, nil, m.ledger.Underway))
			by := ""
			if note := m.ledger.Overrides["a"].Stopped; note != nil {
				by = note.By
				require.Equal(t, note != byPerson, note.Release)
			}
			require.Equal(t, c.want, by)
			if c.changed {
				require.Equal(t, map[string]*ledger.Note{"a": was}, former)
			} else {
				require.Empty(t, former)
			}
		})
	}
}

// begun is a promotion to 2.0.0 that brings c stopped, and lets b run, which waited;
// its changes were written down.
func begun(t *testing.T) (*scene, *change) {
	s := newScene(t)
	s.m.held = t.Context()
	s.m.before["b"] = pods.State{} // it has no pod
	s.m.ledger.SetStopped("b", byRelease)
	all := append(s.m.to.Record.Instances, record.Instance{Name: "c", Stopped: true})
	s.m.to.Record.Instances = all
	c := &change{deploy: all[1:], former: map[string]int{"b": 1, "c": 0}}
	require.NoError(t, s.m.begin(t.Context(), c))
	return s, c
}

// overrides returns what the cluster's ledger says beside the releases.
func (s *scene) overrides() map[string]ledger.Override {
	l, err := ledger.Read(s.t.Context(), s.m.Cluster)
	require.NoError(s.t, err)
	return l.Overrides
}

func TestAnInstanceThatComesStoppedNeedNotLive(t *testing.T) {
	s, c := begun(t)
	require.Equal(t, []string{"a", "b"}, nameAll(s.m.required(c, s.m.before)), "a was ready, b is let run")
	saved := s.overrides()
	require.Len(t, saved, 1)
	require.Equal(t, asWritten, saved["c"].Stopped.Reason)
	r := s.m.result(c, map[string]pods.State{"b": {Pod: "b-2", Ready: true}}, nil)
	require.Equal(t, IOC{Name: "b", Did: Started}, r.IOCs[1])
	require.Equal(t, IOC{Name: "c", Did: Stopped, Doing: "by release 2.0.0: values.yaml says start: false"}, r.IOCs[2])
}

// What a promotion stopped and let run is taken back with it, also when it was killed
// and another one went on.
func TestStoppingIsPutBackToo(t *testing.T) {
	for name, again := range map[string]bool{"once": false, "by another after a killed one": true} {
		t.Run(name, func(t *testing.T) {
			s, _ := begun(t)
			if again {
				s.m.to.Record.Version = assettest.Version("3.0.0")
				require.NoError(t, s.m.begin(t.Context(), &change{former: map[string]int{"b": 1, "c": 0}}))
			}
			past, err := ledger.Read(t.Context(), s.m.Cluster)
			require.NoError(t, err)
			past.Underway.Former = nil // there is no Helm here that could put a back
			require.NoError(t, s.m.putBack(t.Context(), past))
			require.Equal(t, map[string]ledger.Override{"b": {Stopped: byRelease}}, s.overrides())
		})
	}
}
