package cluster

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
)

func ref(digit string) string { return "host/charts/x@sha256:" + strings.Repeat(digit, 64) }

func revision(number int, status, digit string) Revision {
	return Revision{Number: number, Status: status, Beamline: "bl01t", Version: "2026.11." + digit, Chart: digestLabel(ref(digit))}
}

func TestIOCTellsDrift(t *testing.T) {
	rec := &record.Record{Instances: []record.Instance{{Name: "a", Chart: ref("1"), IOC: "ioc-simstage 1.0.0"}}}
	for name, c := range map[string]struct {
		instance string
		history  []Revision
		drift    []string
	}{
		"as released":     {"a", []Revision{revision(1, "deployed", "1")}, []string{}},
		"another chart":   {"a", []Revision{revision(2, "deployed", "2"), revision(1, "superseded", "1")}, []string{"its Helm release is of another chart, version 2026.11.2"}},
		"interrupted":     {"a", []Revision{revision(1, "pending-upgrade", "1")}, []string{"its Helm release is pending-upgrade"}},
		"uninstalled":     {"a", []Revision{revision(1, "uninstalled", "1")}, []string{"it is not in the cluster"}},
		"never there":     {"a", nil, []string{"it is not in the cluster"}},
		"not in a record": {"b", []Revision{revision(1, "deployed", "1")}, []string{"it is not in the release"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := History{}
			if c.history != nil {
				h[c.instance] = c.history
			}
			require.Equal(t, c.drift, ioc(rec, c.instance, h, State{}).Drift)
		})
	}
}

func TestNamesAreThoseOfTheReleaseAndOfTheBeamline(t *testing.T) {
	rec := &record.Record{Instances: []record.Instance{{Name: "b"}}}
	other := revision(1, "deployed", "1")
	other.Beamline = "bl02t"
	h := History{"a": {revision(1, "deployed", "1")}, "b": {revision(1, "deployed", "1")}, "c": {revision(1, "uninstalled", "1")}, "d": {other}}
	require.Equal(t, []string{"a", "b"}, names(rec, h, "bl01t"))
}

func TestDigestLabelFitsALabel(t *testing.T) {
	require.Equal(t, strings.Repeat("1", 63), digestLabel(ref("1")))
	require.Empty(t, digestLabel("host/charts/x:1.0.0"))
	require.True(t, revision(1, "deployed", "1").IsOf(ref("1")))
	require.False(t, revision(1, "deployed", "1").IsOf(ref("2")))
	require.False(t, Revision{}.IsOf("host/charts/x:1.0.0"))
}

func TestLeavesNameTheFieldsOfAPatch(t *testing.T) {
	patch := map[string]any{
		"spec": map[string]any{
			"replicas": 1.0,
			"template": map[string]any{"spec": map[string]any{
				"$setElementOrder/containers": []any{map[string]any{"name": "ioc"}},
				"containers":                  []any{map[string]any{"name": "ioc", "image": "x", "args": []any{"a", "b"}}},
			}},
		},
		"data":     map[string]any{"name": "st.cmd"},
		"metadata": map[string]any{"labels": nil},
	}
	require.ElementsMatch(t, []string{"spec.replicas", "spec.template.spec.containers[ioc].image", "spec.template.spec.containers[ioc].args", "data.name"}, leaves("", patch))
}

func TestLedgerKeepsWhatRanBefore(t *testing.T) {
	l := &Ledger{}
	require.Nil(t, l.Current())
	rel := func(v string) Release {
		return Release{Record: record.Record{Version: v, Checks: []record.Test{{Name: "boot"}}}, Digest: "sha256:" + v}
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
	l.Return(2, l.Releases[2])
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
		many[i] = record.Instance{Name: "bl01t-mo-ioc-01", Chart: ref("1"), Image: ref("2"), IOC: "ioc-simstage 1.0.0", ProbePV: "BL01T-MO-IOC-01:HEARTBEAT", Protocol: "ca"}
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

func TestTroubleShowsItsEvidence(t *testing.T) {
	tr := &Trouble{Instance: "a", Err: assert.AnError, Events: []string{"BackOff: again"}, Log: []string{"one", "two"}}
	require.Equal(t, "a: "+assert.AnError.Error(), tr.Error())
	require.ErrorIs(t, tr, assert.AnError)
	require.Equal(t, "  events of a:\n    BackOff: again\n  last log lines of a:\n    one\n    two", tr.Evidence())
	require.Empty(t, (&Trouble{Instance: "a", Err: assert.AnError}).Evidence())
}

func TestOpenRefusesNoKubeconfig(t *testing.T) {
	missing := t.TempDir() + "/none"
	_, err := Open(Access{Kubeconfig: missing}, "bl01t", "bl01t")
	require.ErrorContains(t, err, missing+": no such file or directory; name a kubeconfig")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	_, err = Open(Access{Kubeconfig: kubeconfig(t), Context: "other"}, "bl01t", "bl01t")
	require.ErrorContains(t, err, `context "other" does not exist`)
}

func TestAClusterThatIsDownIsTold(t *testing.T) {
	n, err := Open(Access{Kubeconfig: kubeconfig(t)}, "bl01t", "bl01t")
	require.NoError(t, err)
	_, err = n.Status(t.Context())
	require.ErrorContains(t, err, "reading what runs in namespace bl01t: ")
	require.ErrorContains(t, err, "connection refused; see that the cluster is up")
	require.Equal(t, diag.Broken, diag.KindOf(err))
}

// kubeconfig names a cluster on a port that nobody listens to.
func kubeconfig(t *testing.T) string {
	file := t.TempDir() + "/kubeconfig"
	text := "apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts: [{name: x, context: {cluster: x}}]\nclusters: [{name: x, cluster: {server: 'http://127.0.0.1:1'}}]\n"
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}
