package page

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/status"
)

// policy sets the beamline's policy.
func (l *line) policy(text string) {
	l.t.Helper()
	require.NoError(l.t, ledger.SavePolicy(l.t.Context(), l.n, text))
}

// A beamline's header says on whose approval its release runs, since when all of its IOCs
// run as they are, and what the policy closes now. It follows the policy.
func TestABeamlinesHeader(t *testing.T) {
	l := newLine(t, "bl01t", "a")
	_, err := l.client.CoreV1().Namespaces().Create(
		t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "bl01t"}}, metav1.CreateOptions{})
	require.NoError(t, err)
	require.NoError(t, ledger.Append(t.Context(), l.n, ledger.Entry{
		Time: started, By: "bob on ws011", Did: "promote", Version: "2026.11.2", Approvals: []string{"ada", "kim"},
		Override: "ajp: the shutter is stuck",
	}))
	const open = "unsigned: a test without hardware\n"
	today := time.Now().UTC().Format("2006-01-02")
	l.policy(open + "closed: [{why: beam time, start: " + today + "T00:00, zone: UTC, for: 48h}]\n")
	address, board := serve(t, l)
	v := until(t, board, "", "it is closed", func(v *View) bool {
		return settled(1)(v) && len(v.Beamlines[0].Closed) == 1
	})
	require.Equal(t, promoted{By: "bob on ws011", Approved: "ada, kim", Override: "ajp: the shutter is stuck"},
		v.Beamlines[0].promoted)
	require.True(t, started.Equal(v.Beamlines[0].Soaking))
	_, _, body := get(t, address)
	require.Contains(t, body, ", promoted by bob on ws011, approved by ada, kim, all run since <time")
	require.Contains(t, body, "The policy was overridden for this release by ajp: the shutter is stuck<")
	require.Contains(t, body, "Closed for changes: beam time until ")
	_, _, body = get(t, address+"/?format=json")
	require.Contains(t, body, `"approved": "ada, kim"`)
	require.Contains(t, body, `"closed": [`)
	require.NotContains(t, body, `"newer"`, "no registry is named")

	changes := listen(t, address)
	<-changes
	l.policy(open)
	c := <-changes
	require.Len(t, c.Changed, 1)
	require.NotContains(t, fmt.Sprint(c.Changed), "Closed for changes")
	l.policy("no policy at all")
	until(t, board, "", "it is shown without", func(v *View) bool { return v.Beamlines[0].Failed == "" })
}

func TestSoaking(t *testing.T) {
	early, late := started, started.Add(time.Hour)
	ioc := func(since time.Time, ready bool, stopped *ledger.Note) *IOC {
		i := &IOC{}
		i.Since, i.Ready, i.Stopped = since, ready, stopped
		return i
	}
	for name, c := range map[string]struct {
		iocs []*IOC
		want time.Time
	}{
		"the last start counts": {[]*IOC{ioc(late, true, nil), ioc(early, true, nil)}, late},
		"one is not ready":      {[]*IOC{ioc(late, false, nil), ioc(early, true, nil)}, time.Time{}},
		"one is stopped":        {[]*IOC{ioc(early, true, nil), ioc(time.Time{}, false, &ledger.Note{})}, early},
		"none":                  {nil, time.Time{}},
	} {
		require.Equal(t, c.want, soaking(c.iocs), name)
	}
}

// Where a registry is asked, a beamline has the releases that come after what it runs.
func TestNewerReleases(t *testing.T) {
	all := func(names ...string) (versions []asset.Version) {
		for _, name := range names {
			versions = append(versions, assettest.Version(name))
		}
		return versions
	}
	const runs = "2026.11.2"
	for want, k := range map[string]*releases{
		"newer: 2026.11.4, 2026.11.3": {versions: all("2026.11.4", "2026.11.3", runs, "2026.11.1")},
		"newer: 2026.11.7, 2026.11.6, 2026.11.5 and 2 more": {
			versions: all("2026.11.7", "2026.11.6", "2026.11.5", "2026.11.4", "2026.11.3", runs),
		},
		"newer releases are not known: no route": {err: errors.New("no route\nto host")},
		"":                                       {versions: all(runs, "2026.11.1")},
	} {
		require.Equal(t, want, k.newer(runs))
		require.Empty(t, k.newer(""), "nothing runs")
	}
	require.Empty(t, (*releases)(nil).newer(runs), "it was not asked yet")

	l := newLine(t, "bl01t", "a")
	board := NewBoard(func(_ context.Context, beamline string) ([]asset.Version, error) {
		require.Equal(t, "bl01t", beamline)
		return all("2026.11.3", runs), nil
	})
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		newScribe(board, place{"https://site", "bl01t"}, ledger.Reached{Context: "site", Namespace: l.n},
			func(context.Context, status.Facts, string) ([]string, error) { return nil, nil }).run(ctx)
	}()
	v := until(t, board, "", "a newer one is known", func(v *View) bool {
		return settled(1)(v) && v.Beamlines[0].Newer != ""
	})
	require.Equal(t, "newer: 2026.11.3", v.Beamlines[0].Newer)
	stop()
	<-ended
}
