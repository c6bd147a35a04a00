package status

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/helm"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/record"
)

func ref(digit string) asset.Ref {
	return asset.Ref("host/charts/x@sha256:" + strings.Repeat(digit, 64))
}

func revision(number int, status, digit string) helm.Revision {
	return helm.Revision{
		Number:   number,
		Status:   status,
		Beamline: "bl01t",
		Version:  "2026.11." + digit,
		Chart:    strings.Repeat(digit, 63),
	}
}

func TestIOCTellsDrift(t *testing.T) {
	rec := &record.Record{Instances: []record.Instance{{
		Name: "a", Chart: ref("1"), IOC: assettest.Pin("ioc-simstage 1.0.0"),
	}}}
	for name, c := range map[string]struct {
		instance string
		history  []helm.Revision
		drift    []string
	}{
		"as released": {"a", []helm.Revision{revision(1, "deployed", "1")}, []string{}},
		"another chart": {
			"a", []helm.Revision{revision(2, "deployed", "2"), revision(1, "superseded", "1")},
			[]string{"its Helm release is of another chart, version 2026.11.2"},
		},
		"interrupted": {
			"a", []helm.Revision{revision(1, "pending-upgrade", "1")}, []string{"its Helm release is pending-upgrade"},
		},
		"uninstalled": {
			"a", []helm.Revision{revision(1, "uninstalled", "1")}, []string{"it is not in the cluster"},
		},
		"never there":     {"a", nil, []string{"it is not in the cluster"}},
		"not in a record": {"b", []helm.Revision{revision(1, "deployed", "1")}, []string{"it is not in the release"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := helm.History{}
			if c.history != nil {
				h[c.instance] = c.history
			}
			require.Equal(t, c.drift, ioc(rec, c.instance, h, pods.State{}).Drift)
		})
	}
}

func TestNamesAreThoseOfTheReleaseAndOfTheBeamline(t *testing.T) {
	rec := &record.Record{Instances: []record.Instance{{Name: "b"}}}
	other := revision(1, "deployed", "1")
	other.Beamline = "bl02t"
	h := helm.History{
		"a": {revision(1, "deployed", "1")},
		"b": {revision(1, "deployed", "1")},
		"c": {revision(1, "uninstalled", "1")},
		"d": {other},
	}
	require.Equal(t, []string{"a", "b"}, names(rec, h, "bl01t"))
}

// Whoever finds a change half way must know whether somebody is at it.
func TestChange(t *testing.T) {
	for says, s := range map[string]Status{
		"":                            {},
		"ada on ws011 is changing it": {Changing: "ada on ws011"},
		"a change to 2.0 is under way, by ada on ws011": {Changing: "ada on ws011", Underway: "2.0"},
		"a change to 2.0 was killed":                    {Underway: "2.0", Killed: true},
		"a change to 2.0 is under way, or was killed":   {Underway: "2.0"},
	} {
		require.Equal(t, says, s.Change())
	}
}

func TestAClusterThatIsDownIsTold(t *testing.T) {
	file := filepath.Join(t.TempDir(), "kubeconfig")
	text := "apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts: [{name: x, context: {cluster: x}}]\n" +
		"clusters: [{name: x, cluster: {server: 'http://127.0.0.1:1'}}]\n"
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	n, err := cluster.Open(cluster.Access{Kubeconfig: file}, "bl01t", "bl01t")
	require.NoError(t, err)
	_, err = Read(t.Context(), n)
	require.ErrorContains(t, err, "reading what runs in namespace bl01t: ")
	require.ErrorContains(t, err, "connection refused; see that the cluster is up")
	require.Equal(t, diag.Broken, diag.KindOf(err))
}
