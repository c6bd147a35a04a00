package ledger

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/record"
)

func TestLedgerKeepsWhatRanBefore(t *testing.T) {
	l := &Ledger{}
	require.Nil(t, l.Current())
	rel := func(v string) Release {
		return Release{
			Record: record.Record{Version: v, Checks: []record.Test{{Name: "boot"}}},
			Digest: "sha256:" + v,
		}
	}
	versions := func() (all []string) {
		for _, r := range l.Releases {
			require.Empty(t, r.Record.Checks)
			all = append(all, r.Record.Version)
		}
		return all
	}
	for _, v := range []string{"1", "2", "2", "3", "1"} {
		l.Push(rel(v))
	}
	require.Equal(t, []string{"1", "3", "2", "1"}, versions())
	l.Return(l.Releases[2])
	require.Equal(t, []string{"2", "1"}, versions())
	require.Equal(t, "2", l.Current().Record.Version)
	for range 2 * keep {
		l.Push(rel("4"))
		l.Push(rel("5"))
	}
	require.Len(t, l.Releases, keep)
}

func TestLedgerFitsAnObject(t *testing.T) {
	many := make([]record.Instance, 400)
	for i := range many {
		many[i] = record.Instance{
			Name:     "bl01t-mo-ioc-01",
			Chart:    "host/charts/x@sha256:" + strings.Repeat("1", 64),
			Image:    "host/x@sha256:" + strings.Repeat("2", 64),
			IOC:      "ioc-simstage 1.0.0",
			ProbePV:  "BL01T-MO-IOC-01:HEARTBEAT",
			Protocol: "ca",
		}
	}
	l := &Ledger{}
	for i := range keep {
		l.Push(Release{Record: record.Record{Instances: many}, Digest: strings.Repeat("x", i)})
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
		many[i] = record.Instance{Name: "bl01t-mo-ioc-01", IOC: "ioc-simstage 1.0.0", ProbePV: "BL01T-MO-IOC-01:HEARTBEAT"}
	}
	l := &Ledger{}
	for i := range keep {
		l.Push(Release{Record: record.Record{Instances: many}, Digest: strings.Repeat("x", i)})
	}
	text, err := l.text()
	require.NoError(t, err)
	require.LessOrEqual(t, len(text), largest)
	require.GreaterOrEqual(t, len(l.Releases), 3)
}
