package status

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ledger"
)

var now = time.Date(2026, 11, 23, 3, 0, 0, 0, time.UTC)

func TestLevels(t *testing.T) {
	ready := IOC{Name: "a", Ready: true, Since: now.Add(-2 * time.Hour)}
	with := func(change func(*IOC)) IOC { i := ready; change(&i); return i }
	for name, c := range map[string]struct {
		status Status
		level  Level
		why    string
	}{
		"well": {Status{Instances: []IOC{ready}}, Well, ""},
		"restarted": {
			Status{Instances: []IOC{with(func(i *IOC) { i.Restarts, i.Since = 3, now.Add(-time.Minute) })}}, Restarted,
			"a: restarted 3 times",
		},
		"restarted before": {Status{Instances: []IOC{with(func(i *IOC) { i.Restarts = 3 })}}, Well, ""},
		"drifted": {
			Status{Instances: []IOC{with(func(i *IOC) { i.Drift = []string{"Deployment a: spec.replicas"} })}},
			Drifted, "a: Deployment a: spec.replicas",
		},
		"stopped": {Status{Instances: []IOC{with(func(i *IOC) {
			i.Ready, i.Stopped, i.Doing = false, &ledger.Note{}, "stopped by ada: x"
		})}},
			Stopped, "a: stopped by ada: x"},
		"the worst counts": {
			Status{Instances: []IOC{ready, {Name: "b", Doing: "ended 3 times"}}, Strays: []string{"x"}}, Failing,
			"b: ended 3 times",
		},
		"a stray": {
			Status{Instances: []IOC{ready}, Strays: []string{"x"}}, Stray, "pod x is no IOC of this beamline",
		},
		"under way": {
			Status{Instances: []IOC{ready}, Underway: "2"}, Drifted, "a change to 2 is under way, or was killed",
		},
		"on hold": {
			Status{Instances: []IOC{ready}, Hold: &ledger.Note{Reason: "rolled back from 2"}}, Well,
			"on hold: rolled back from 2",
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.level, c.status.Level(now))
			require.Equal(t, c.why, Row{Level: c.level, Status: &c.status}.Why(now))
		})
	}
}

func TestReadyCounts(t *testing.T) {
	require.Equal(t, 1, (&Status{Instances: []IOC{{Ready: true}, {}}}).Ready())
}

// A cluster that does not answer is a row, never absent.
func TestAnOverviewShowsAClusterThatIsDown(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kubeconfig")
	text := "apiVersion: v1\nkind: Config\n" +
		"contexts: [{name: x, context: {cluster: x}}, {name: z, context: {cluster: x}}]\n" +
		"clusters: [{name: x, cluster: {server: 'http://127.0.0.1:1'}}]\n"
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	rows, err := Overview(t.Context(), cluster.Access{Kubeconfig: file}, now)
	require.NoError(t, err)
	require.Len(t, rows, 2)
	require.Equal(t, "x", rows[0].Context)
	require.Equal(t, Unread, rows[0].Level)
	require.Contains(t, rows[0].Why(now), "connection refused")
	rows, err = Overview(t.Context(), cluster.Access{Kubeconfig: file, Context: "z"}, now)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	_, err = Overview(t.Context(), cluster.Access{Kubeconfig: file + "none"}, now)
	require.Equal(t, diag.Invalid, diag.KindOf(err))
}

func TestALevelIsJSONInWords(t *testing.T) {
	text, err := Failing.MarshalText()
	require.NoError(t, err)
	require.Equal(t, "not ready", string(text))
	require.Equal(t, "well", Well.String())
}
