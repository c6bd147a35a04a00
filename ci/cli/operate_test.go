package cli

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/pvs"
	"github.com/tagline-ci/tagline/pipelines/status"
)

func TestWriteOverview(t *testing.T) {
	now := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	rows := []status.Row{
		{Context: "far", Failed: "looking for beamlines: connection refused"},
		{Context: "near", Beamline: "bl01t", Level: status.Failing, Status: &status.Status{
			Version: "2026.11.2", Since: now.Add(-50 * time.Hour),
			Instances: []status.IOC{{Name: "a", Ready: true}, {Name: "b", Doing: "ended 3 times"}},
		}},
		{Context: "near", Beamline: "bl02t", Level: status.Well, Status: &status.Status{}},
	}
	var b bytes.Buffer
	require.NoError(t, writeOverview(&b, rows, now))
	require.Equal(t, `BEAMLINE  STATE      READY   VERSION    PROMOTED  CONTEXT  WHY
-         not read   -       -          -         far      looking for beamlines: connection refused
bl01t     not ready  1 of 2  2026.11.2  2d2h ago  near     b: ended 3 times
bl02t     well       0 of 0  -          -         near     -
`, b.String())
	b.Reset()
	require.NoError(t, writeOverview(&b, nil, now))
	require.Equal(
		t, "no beamline was promoted to the clusters of this kubeconfig: see that it is the right one\n", b.String(),
	)
}

func TestWriteHistory(t *testing.T) {
	at := time.Date(2026, 11, 23, 3, 0, 0, 0, time.Local)
	var b bytes.Buffer
	require.NoError(t, writeHistory(&b, []ledger.Entry{
		{Time: at, By: "ada on ws012", Did: "stop", Instance: "bl01t-mo-ioc-01", Reason: "it hangs"},
		{
			Time: at, By: "ada on ws012", Did: "promote", Version: "2", From: "1",
			Failed: "promoting bl01t 2: a: not ready\n  events",
		},
		{Time: at, By: "ada on ws012", Did: "promote", Version: "1", Verified: "verified 2m"},
	}))
	require.Equal(t, `TIME                 DID      WHAT             BY            REASON    ENDED
2026-11-23 03:00:00  stop     bl01t-mo-ioc-01  ada on ws012  it hangs  well
2026-11-23 03:00:00  promote  2 from 1         ada on ws012  -         promoting bl01t 2: a: not ready
2026-11-23 03:00:00  promote  1                ada on ws012  -         verified 2m
`, b.String())
}

func TestWriteFound(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, writeFound(&b, []pvs.Match{
		{PV: pvs.PV{Instance: "bl01t-mo-ioc-01", Name: "A:X", Type: "ai"}, Beamline: "bl01t", Value: "5"},
		{
			PV: pvs.PV{Instance: "bl01t-mo-ioc-02", Name: "B:X", Type: "ao"}, Beamline: "bl01t",
			Failed: "its IOC has no pod",
		},
	}))
	require.Equal(t, `PV   TYPE  BEAMLINE  IOC              VALUE
A:X  ai    bl01t     bl01t-mo-ioc-01  5
B:X  ao    bl01t     bl01t-mo-ioc-02  no answer: its IOC has no pod
`, b.String())
	b.Reset()
	require.NoError(t, writeFound(&b, nil))
	require.Equal(
		t, "no release that runs serves it, as its tests saw: a pattern must match the whole name, as '.*:RBV' does\n",
		b.String(),
	)
	b.Reset()
	require.NoError(t, writeFound(&b, []pvs.Match{
		{PV: pvs.PV{Instance: "a", Name: "A:X", Type: "stringin"}, Beamline: "bl01t", Note: "an empty text"},
		{PV: pvs.PV{Instance: "a", Name: "A:Y", Type: "ai"}, Beamline: "bl02t"},
	}))
	require.Equal(t, `PV   TYPE      BEAMLINE  IOC  VALUE
A:X  stringin  bl01t     a    an empty text
A:Y  ai        bl02t     a    -
of a beamline with more than fifty of them none is asked: name fewer for their values
`, b.String())
}

// Lines of several IOCs say whose they are.
func TestLogLines(t *testing.T) {
	var out bytes.Buffer
	a := &app{Streams: Streams{Out: &out}}
	a.logLines([]pods.State{{Instance: "a"}})("a", "one")
	a.logLines([]pods.State{{Instance: "a"}, {Instance: "b"}})("b", "two")
	require.Equal(t, "one\nb two\n", out.String())
}

// What a person mistyped is refused before a cluster is asked.
func TestOperationsRefuseBadCommandLines(t *testing.T) {
	for says, line := range map[string][]string{
		"missing closing":        {"find", "("},
		"error parsing regexp":   {"logs", "bl01t", "--grep", "("},
		"this is no terminal":    {"shell", "bl01t", "a"},
		"no kubeconfig is named": {"stop", "bl01t", "--reason", "x"},
	} {
		var out, errs bytes.Buffer
		home := t.TempDir()
		env := func(name string) string { return map[string]string{"HOME": home}[name] }
		require.Equal(t, 2, Main(t.Context(), Streams{Out: &out, Err: &errs}, env, line), errs.String())
		require.Contains(t, errs.String(), says)
	}
}
