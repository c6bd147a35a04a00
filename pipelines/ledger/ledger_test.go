package ledger

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// What a change itself stops, or lets run, is taken back with it, but for what a person
// said since.
func TestUnstop(t *testing.T) {
	release, person := &Note{By: "release 2.0", Release: true}, &Note{By: "ada"}
	l := &Ledger{Underway: &Underway{Stopped: map[string]*Note{"new": nil, "waited": release, "mine": release}}}
	l.Override("new", Override{Stopped: release, Node: "ws012"})
	l.SetStopped("mine", person)
	l.Keep("mine")
	l.Unstop()
	require.Equal(t, map[string]Override{
		"new": {Node: "ws012"}, "waited": {Stopped: release}, "mine": {Stopped: person},
	}, l.Overrides)
	l.Underway = nil
	l.Keep("mine")
	l.SetStopped("mine", nil)
	require.NotContains(t, l.Overrides, "mine")
}

func TestLedgerKeepsWhatRanBefore(t *testing.T) {
	l := &Ledger{}
	require.Nil(t, l.Current())
	rel := func(v string) Release {
		return Release{
			Record: record.Record{Version: assettest.Version(v), Checks: []record.Test{{Name: "boot"}}},
			Digest: asset.Digest("sha256:" + v),
		}
	}
	versions := func() (all []string) {
		for _, r := range l.Releases {
			require.Empty(t, r.Record.Checks)
			all = append(all, r.Record.Version.String())
		}
		return all
	}
	for _, v := range []string{"1.0", "2.0", "2.0", "3.0", "1.0"} {
		l.Push(rel(v))
	}
	require.Equal(t, []string{"1.0", "3.0", "2.0", "1.0"}, versions())
	l.Return(l.Releases[2])
	require.Equal(t, []string{"2.0", "1.0"}, versions())
	require.Equal(t, "2.0", l.Current().Record.Version.String())
	for range 2 * keep {
		l.Push(rel("4.0"))
		l.Push(rel("5.0"))
	}
	require.Len(t, l.Releases, keep)
}

func TestLedgerFitsAnObject(t *testing.T) {
	many := make([]record.Instance, 400)
	for i := range many {
		many[i] = record.Instance{
			Name:     "bl01t-mo-ioc-01",
			Chart:    asset.Ref("host/charts/x@sha256:" + strings.Repeat("1", 64)),
			Image:    asset.Ref("host/x@sha256:" + strings.Repeat("2", 64)),
			IOC:      assettest.Pin("ioc-simstage 1.0.0"),
			ProbePV:  "BL01T-MO-IOC-01:HEARTBEAT",
			Protocol: "ca",
		}
	}
	l := &Ledger{}
	for i := range keep {
		l.Push(Release{Record: record.Record{Instances: many}, Digest: asset.Digest(strings.Repeat("x", i))})
	}
	text, err := l.text()
	require.NoError(t, err)
	require.LessOrEqual(t, len(text), largest)
	require.GreaterOrEqual(t, len(l.Releases), 2)
}

// A ledger of many instances drops its oldest releases when it is written, which
// happens between choosing the release to return to and returning.
func TestReturningToAReleaseThatWasDropped(t *testing.T) {
	l := &Ledger{Releases: []Release{{Digest: "3"}, {Digest: "2"}, {Digest: "1"}}}
	oldest := l.Releases[2]
	l.Releases = l.Releases[:2]
	l.Return(oldest)
	require.Equal(t, []Release{{Digest: "1"}}, l.Releases)
}

func TestALedgerOf500InstancesKeepsFormerReleases(t *testing.T) {
	many := make([]record.Instance, 500)
	for i := range many {
		many[i] = record.Instance{
			Name: "bl01t-mo-ioc-01", IOC: assettest.Pin("ioc-simstage 1.0.0"), ProbePV: "BL01T-MO-IOC-01:HEARTBEAT",
		}
	}
	l := &Ledger{}
	for i := range keep {
		l.Push(Release{Record: record.Record{Instances: many}, Digest: asset.Digest(strings.Repeat("x", i))})
	}
	text, err := l.text()
	require.NoError(t, err)
	require.LessOrEqual(t, len(text), largest)
	require.GreaterOrEqual(t, len(l.Releases), 3)
}
