package helm

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ledger"
)

const (
	aConfigMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a-more}\n"
	aService   = "apiVersion: v1\nkind: Service\nmetadata: {name: a-more}\n"
)

// Each revision says which release of the beamline it is of, and of which chart.
func TestDeployStoresARevision(t *testing.T) {
	s := newSite(t)
	s.deployed(ioc{version: "1.0.1", script: "# 1\n"}, ioc{version: "1.0.2", script: "# 2\n", own: aConfigMap})
	h, err := Stored(t.Context(), s.n)
	require.NoError(t, err)
	now, ok := h.Latest("a")
	require.True(t, ok)
	require.Equal(t, Revision{
		Instance: "a", Number: 2, Status: "deployed", Beamline: "bl01t", Version: "1.0.2", Chart: now.Chart,
	}, now)
	require.True(t, now.IsOf(ref("2")) && now.Runs())
	require.True(t, h["a"][1].IsOf(ref("1")))
	require.Equal(t, []string{"deployed", "superseded"}, s.statuses())
	require.Equal(t, "# 2\n", s.script())
	_, ok = h.Latest("b")
	require.False(t, ok)
}

// What a newer chart no longer has is taken away.
func TestDeployDropsWhatTheChartNoLongerHas(t *testing.T) {
	s := newSite(t)
	s.deployed(ioc{version: "1.0.1", own: aConfigMap})
	require.Contains(t, s.Names("configmaps"), "a-more")
	s.deployed(ioc{version: "1.0.2"})
	require.NotContains(t, s.Names("configmaps"), "a-more")
}

// A chart that cannot be the instance's, and one of a run that was stopped, sends
// nothing.
func TestDeployRefusesAChartThatIsNotTheInstances(t *testing.T) {
	s := newSite(t)
	rel, inst := ioc{version: "1.0.1"}.release()
	deploy := func(ctx context.Context, archive []byte) error {
		return Deploy(ctx, s.n, rel, inst, archive, ledger.Override{})
	}
	require.ErrorContains(t, deploy(t.Context(), []byte("no chart")), "reading chart "+string(ref("1")))
	of := ioc{version: "1.0.1"}.chart(t)
	require.ErrorIs(t, deploy(over(t), of), context.Canceled)
	inst.Name = "b"
	require.ErrorContains(t, deploy(t.Context(), of), `it is the chart of "a", not of b`)
	require.Empty(t, s.Changes())
}

// What was not consented to is neither stored nor sent, on an update either.
func TestDeploySendsOnlyWhatWasConsentedTo(t *testing.T) {
	s := newSite(t)
	more := ioc{version: "1.0.2", script: "# 2\n", own: aService}
	err := s.deploy(more, ledger.Override{})
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.Empty(t, s.Changes())
	s.deployed(ioc{version: "1.0.1", script: "# 1\n"})
	err = s.deploy(more, ledger.Override{})
	require.ErrorContains(t, err, "its chart needs what could not be seen at the gate: kind Service")
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.Equal(t, "# 1\n", s.script())
	require.Equal(t, []string{"deployed"}, s.statuses())
	more.needs = []string{"kind Service"}
	s.deployed(more)
	require.Equal(t, []string{"a-more"}, s.Names("services"))
}

// A template sees its own namespace, and no Secret: it has the rights of who promotes, and
// what it makes of a Secret would be whoever's who released it.
func TestTemplatesReadNoSecrets(t *testing.T) {
	s := newSite(t)
	core := s.n.Client.CoreV1()
	for _, namespace := range []string{"bl01t", "bl01t-keys"} {
		_, err := core.Secrets(namespace).Create(t.Context(), &corev1.Secret{
			ObjectMeta: metav1.ObjectMeta{Name: "key"}, Data: map[string][]byte{"k": []byte("s3cret")},
		}, metav1.CreateOptions{})
		require.NoError(t, err)
	}
	for version, look := range map[string]string{
		"1.0.1": `"v1" "Secret" .Release.Namespace "key"`,
		"1.0.2": `"v1" "Secret" .Release.Namespace ""`,
		"1.0.3": `"v1" "Secret" "bl01t-keys" "key"`,
		"1.0.4": `"v1" "Secret" "" ""`,
		"1.0.5": `"v1" "ConfigMap" "kube-system" "x"`,
		"1.0.6": `"v1" "ConfigMap" "" ""`,
		"1.0.7": `"v1" "Namespace" "" "kube-system"`,
	} {
		own := aConfigMap + "data: {x: {{ lookup " + look + " | toJson | quote }}}\n"
		err := s.deploy(ioc{version: version, own: own}, ledger.Override{})
		require.ErrorContains(t, err, "a template of its chart looks up /api/v1/", look)
		require.Equal(t, diag.Refused, diag.KindOf(err))
		require.NotContains(t, s.Names("configmaps"), "a-more")
	}
	own := aConfigMap + `data: {x: {{ lookup "v1" "ConfigMap" .Release.Namespace "a-more" | toJson | quote }}}` + "\n"
	s.deployed(ioc{version: "1.1.0", own: own})
}

// A deployment that the cluster refuses half way is an error that names version and
// instance. The next one goes on from there, and takes away what it had begun.
func TestADeploymentThatFailsIsGoneOnFrom(t *testing.T) {
	s := newSite(t)
	s.Refuse("POST deployments")
	err := s.deploy(ioc{version: "1.0.1", own: aConfigMap}, ledger.Override{})
	require.ErrorContains(t, err, "installing a 1.0.1: ")
	require.Equal(t, []string{"failed"}, s.statuses())
	require.Contains(t, s.Names("configmaps"), "a-more", "what was sent before")
	s.Refuse("")
	s.deployed(ioc{version: "1.0.2", script: "# 2\n"})
	require.Equal(t, []string{"a"}, s.Names("deployments"))
	require.NotContains(t, s.Names("configmaps"), "a-more")

	s.Refuse("PATCH deployments/a")
	err = s.deploy(ioc{version: "1.0.3", script: "# 3\n", own: aConfigMap}, ledger.Override{})
	require.ErrorContains(t, err, "upgrading a to 1.0.3: ")
	require.Equal(t, []string{"failed", "deployed", "superseded"}, s.statuses())
	s.Refuse("")
	require.NoError(t, Restore(t.Context(), s.n, "a", 2, ledger.Override{}))
	require.Equal(t, "# 2\n", s.script())
	require.NotContains(t, s.Names("configmaps"), "a-more")
	require.Equal(t, []string{"deployed", "superseded", "superseded", "superseded"}, s.statuses())
}

// Putting back needs no chart, and an autosave volume that grew keeps its size.
func TestRestore(t *testing.T) {
	s := newSite(t)
	s.deployed(ioc{version: "1.0.1", script: "# 1\n", size: "1Mi"}, ioc{version: "1.0.2", script: "# 2\n", size: "2Mi"})
	require.Equal(t, "2Mi", s.claim())
	require.ErrorIs(t, Restore(over(t), s.n, "a", 1, ledger.Override{}), context.Canceled)
	require.NoError(t, Restore(t.Context(), s.n, "a", 1, ledger.Override{}))
	require.Equal(t, "# 1\n", s.script())
	require.Equal(t, "2Mi", s.claim())
	h, err := Stored(t.Context(), s.n)
	require.NoError(t, err)
	now, _ := h.Latest("a")
	require.Equal(t, "1.0.1", now.Version, "it says of which release it is")
	require.True(t, now.IsOf(ref("1")))
	require.ErrorContains(
		t, Restore(t.Context(), s.n, "a", 9, ledger.Override{}), "putting a back on revision 9: ",
	)
}

// What people set lasts through a newer chart.
func TestDeployKeepsWhatPeopleSet(t *testing.T) {
	s := newSite(t)
	set := ledger.Override{Stopped: &ledger.Note{By: "ada"}}
	for _, version := range []string{"1.0.1", "1.0.2"} {
		require.NoError(t, s.deploy(ioc{version: version}, set))
		require.Empty(t, s.Names("pods"))
	}
	require.NoError(t, Restore(t.Context(), s.n, "a", 1, set))
	require.Empty(t, s.Names("pods"))
	require.NoError(t, Restore(t.Context(), s.n, "a", 1, ledger.Override{}))
	require.Len(t, s.Names("pods"), 1)
}

// An instance that was removed keeps its volume and its revisions, so that it comes
// back from them, or from a chart.
func TestRemoveAndComeBack(t *testing.T) {
	s := newSite(t)
	require.NoError(t, Remove(t.Context(), s.n, "a"), "it never was there")
	s.deployed(ioc{version: "1.0.1", script: "# 1\n", size: "1Mi"})
	require.ErrorIs(t, Remove(over(t), s.n, "a"), context.Canceled)
	require.NoError(t, Remove(t.Context(), s.n, "a"))
	require.Empty(t, s.Names("deployments"))
	require.Equal(t, []string{"a-autosave"}, s.Names("persistentvolumeclaims"))
	require.Equal(t, []string{"uninstalled"}, s.statuses())
	require.NoError(t, Remove(t.Context(), s.n, "a"), "it is gone")
	require.NoError(t, Restore(t.Context(), s.n, "a", 1, ledger.Override{}))
	require.Equal(t, "# 1\n", s.script())
	require.NoError(t, Remove(t.Context(), s.n, "a"))
	s.deployed(ioc{version: "1.0.2", script: "# 2\n", size: "1Mi"})
	require.Equal(t, "# 2\n", s.script())
}

func TestARemovalThatFailsIsFinishedLater(t *testing.T) {
	s := newSite(t)
	s.deployed(ioc{version: "1.0.1"})
	s.Refuse("DELETE deployments/a")
	require.ErrorContains(t, Remove(t.Context(), s.n, "a"), "uninstalling a: ")
	require.Equal(t, []string{"uninstalling"}, s.statuses())
	s.Refuse("")
	require.NoError(t, Remove(t.Context(), s.n, "a"))
	require.Empty(t, s.Names("deployments"))
	require.Equal(t, []string{"uninstalled"}, s.statuses())
}

// A cluster that may not be read is never taken for one in which nothing is.
func TestARefusedReadIsAnError(t *testing.T) {
	s := newSite(t)
	s.deployed(ioc{version: "1.0.1"})
	s.Refuse("GET secrets")
	changes := len(s.Changes())
	_, err := Stored(t.Context(), s.n)
	require.ErrorContains(t, err, "listing the Helm releases of namespace bl01t")
	_, drift := Drift(t.Context(), s.n, "a", ledger.Override{})
	for _, err := range []error{
		err, drift, s.deploy(ioc{version: "1.0.2"}, ledger.Override{}), Remove(t.Context(), s.n, "a"),
		Restore(t.Context(), s.n, "a", 1, ledger.Override{}),
	} {
		require.Equal(t, diag.Broken, diag.KindOf(err))
		require.ErrorContains(t, err, "forbidden")
	}
	require.Len(t, s.Changes(), changes)
}
