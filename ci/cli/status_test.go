package cli

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/promote"
	"github.com/tagline-ci/tagline/pipelines/status"
)

func TestWriteStatus(t *testing.T) {
	now := time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)
	digest := "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	st := &status.Status{
		Beamline:  "bl01t",
		Namespace: "bl01t",
		Version:   "2026.11.2",
		Record:    digest,
		Since:     now.Add(-50 * time.Hour),
		Before:    []string{"2026.11.1"},
		Underway:  "2026.11.3",
		Instances: []status.IOC{
			{
				Name:     "bl01t-mo-ioc-01",
				Version:  "2026.11.2",
				IOC:      "ioc-simstage 1.0.0",
				Digest:   digest,
				Node:     "node1",
				Ready:    true,
				Restarts: 1,
				Since:    now.Add(-90 * time.Minute),
			},
			{Name: "bl01t-mo-ioc-02", Doing: "not in the cluster", Drift: []string{"it is not in the cluster"}},
		},
		Strays: []string{"debug"},
	}
	var b bytes.Buffer
	require.NoError(t, writeStatus(&b, st, now))
	require.Equal(t, `bl01t 2026.11.2, promoted 2d2h ago, record sha256:0123456789ab
before: 2026.11.1
a change to 2026.11.3 is under way, or was killed: promote again to finish it, or roll back
INSTANCE         VERSION    GENERIC IOC         IMAGE                NODE   READY  RESTARTS  SINCE
bl01t-mo-ioc-01  2026.11.2  ioc-simstage 1.0.0  sha256:0123456789ab  node1  yes    1         90m
bl01t-mo-ioc-02  -          -                   -                    -      no     0         -
bl01t-mo-ioc-02: not in the cluster
bl01t-mo-ioc-02 differs from the release: it is not in the cluster
pod debug is no IOC of this beamline
`, b.String())
	b.Reset()
	require.NoError(t, writeStatus(&b, &status.Status{Beamline: "bl01t", Namespace: "x"}, now))
	require.Equal(
		t, "bl01t: no release was promoted to namespace x; see tagline history bl01t\nit has no IOC\n", b.String(),
	)
}

func TestWriteMove(t *testing.T) {
	var b bytes.Buffer
	r := &promote.Result{Beamline: "bl01t", Version: "2026.11.2", Former: "2026.11.1", IOCs: []promote.IOC{
		{
			Name:  "bl01t-mo-ioc-01",
			Did:   promote.Unchanged,
			PV:    "BL01T:X",
			Value: "5",
		},
		{Name: "bl01t-mo-ioc-08", Did: promote.Stopped, PV: "BL01T:Y", Doing: "by release 1: values.yaml"},
		{Name: "bl01t-mo-ioc-09", Did: promote.Removed},
	}}
	require.NoError(t, writeMove(&b, "promoted", r))
	require.Equal(
		t,
		"bl01t: promoted 2026.11.2, was 2026.11.1\n"+
			"  bl01t-mo-ioc-01  unchanged  BL01T:X = 5\n"+
			"  bl01t-mo-ioc-08  stopped    by release 1: values.yaml\n"+
			"  bl01t-mo-ioc-09  removed    \n",
		b.String(),
	)
	b.Reset()
	r = &promote.Result{Beamline: "bl01t", Version: "1", Verified: "inconclusive: A:X did not answer before"}
	require.NoError(t, writeMove(&b, "promoted", r))
	require.Equal(t, "bl01t: promoted 1\ninconclusive: A:X did not answer before\n", b.String())
	b.Reset()
	require.NoError(t, writeMove(&b, "rolled back to", &promote.Result{Beamline: "bl01t", Former: "2026.11.1"}))
	require.Equal(t, "bl01t: rolled back to nothing, was 2026.11.1\n", b.String())
}

// TestTheClusterIsNamed asks for a cluster where none is named.
func TestTheClusterIsNamed(t *testing.T) {
	var out, errs bytes.Buffer
	home := t.TempDir()
	env := func(name string) string { return map[string]string{"HOME": home}[name] }
	status := Main(t.Context(), Streams{Out: &out, Err: &errs}, env, []string{"status", "bl01t"})
	require.Equal(t, 2, status)
	require.Contains(
		t,
		errs.String(),
		"no kubeconfig is named, and nothing is up; give --kubeconfig or KUBECONFIG, or run tagline up",
	)
	require.Empty(t, out.String())
}
