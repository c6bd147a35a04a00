package helm

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes/fake"
	"sigs.k8s.io/yaml"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/ledger"
)

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	asJSON, err := yaml.YAMLToJSON([]byte(text))
	require.NoError(t, err)
	require.NoError(t, u.UnmarshalJSON(asJSON)) // with integers, as Helm's client reads them
	return u
}

func TestOverrideChangesTheInstancesDeployment(t *testing.T) {
	const deployment = "kind: Deployment\nmetadata: {name: a}\n" +
		"spec: {replicas: 1, template: {spec: {nodeSelector: {zone: x}}}}\n"
	stopped := ledger.Override{Stopped: &ledger.Note{By: "ada"}, Node: "node2"}
	d := object(t, deployment)
	require.NoError(t, override(d, "a", stopped))
	replicas, _, err := unstructured.NestedInt64(d.Object, "spec", "replicas")
	require.NoError(t, err)
	require.Zero(t, replicas)
	selector, _, err := unstructured.NestedStringMap(d.Object, "spec", "template", "spec", "nodeSelector")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"zone": "x", "kubernetes.io/hostname": "node2"}, selector)
	for what, same := range map[string]func(*unstructured.Unstructured) error{
		"nothing is set":     func(d *unstructured.Unstructured) error { return override(d, "a", ledger.Override{}) },
		"another Deployment": func(d *unstructured.Unstructured) error { return override(d, "b", stopped) },
	} {
		d := object(t, deployment)
		require.NoError(t, same(d), what)
		require.Equal(t, object(t, deployment), d, what)
	}
}

// An instance runs where nobody stopped it, whatever its chart begins with.
func TestReplicasAreWhatPeopleSay(t *testing.T) {
	for _, c := range []struct {
		chart   string
		stopped bool
		want    int64
	}{
		{"replicas: 1", false, 1}, {"replicas: 1", true, 0}, {"replicas: 0", true, 0}, {"replicas: 0", false, 1},
		{"replicas: 2", false, 2}, // of a chart of its own
	} {
		d := object(t, "kind: Deployment\nmetadata: {name: a}\nspec: {"+c.chart+"}\n")
		o := ledger.Override{}
		if c.stopped {
			o.Stopped = &ledger.Note{By: "release 1.0.0", Release: true}
		}
		require.NoError(t, override(d, "a", o))
		got, _, err := unstructured.NestedInt64(d.Object, "spec", "replicas")
		require.NoError(t, err)
		require.Equal(t, c.want, got, "%+v", c)
	}
}

// A release that made a claim grow is undone, though claims do not shrink.
func TestAClaimIsNotAskedToShrink(t *testing.T) {
	claim := func(size string) *unstructured.Unstructured {
		return object(
			t,
			"kind: PersistentVolumeClaim\nmetadata: {name: a}\nspec: {resources: {requests: {storage: "+size+"}}}\n",
		)
	}
	for _, c := range []struct{ wanted, live, asked string }{
		{"1Gi", "2Gi", "2Gi"}, {"2Gi", "1Gi", "2Gi"}, {"1Gi", "1024Mi", "1Gi"}, {"900Mi", "1Gi", "1Gi"},
	} {
		wanted := claim(c.wanted)
		keepSize(wanted, claim(c.live))
		require.Equal(t, claim(c.asked), wanted, "%+v", c)
	}
	wanted := claim("1Gi")
	keepSize(wanted, nil)
	keepSize(wanted, object(t, "kind: PersistentVolumeClaim\n"))
	require.Equal(t, claim("1Gi"), wanted)
}

func TestPruneKeepsTheNewestAndWhatIsDeployed(t *testing.T) {
	client := fake.NewClientset()
	h := History{}
	for number := 14; number >= 1; number-- {
		status, beamline := "superseded", "bl01t"
		if number == 2 {
			status = "deployed"
		}
		for _, name := range []string{"a", "other"} {
			if name == "other" {
				beamline = "bl02t"
			}
			h[name] = append(h[name], Revision{Instance: name, Number: number, Status: status, Beamline: beamline})
			secret := &corev1.Secret{
				ObjectMeta: metav1.ObjectMeta{Namespace: "bl01t", Name: secretName(h[name][len(h[name])-1])},
			}
			_, err := client.CoreV1().Secrets("bl01t").Create(t.Context(), secret, metav1.CreateOptions{})
			require.NoError(t, err)
		}
	}
	n := &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: client}
	require.NoError(t, Prune(t.Context(), n, h))
	require.NoError(t, Prune(t.Context(), n, h), "what is gone already is no error")
	left, err := client.CoreV1().Secrets("bl01t").List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.Len(t, left.Items, keep+1+14)
	_, err = client.CoreV1().Secrets("bl01t").Get(t.Context(), "sh.helm.release.v1.a.v2", metav1.GetOptions{})
	require.NoError(t, err, "it is deployed")
}

func TestLabelValueFitsALabel(t *testing.T) {
	require.Equal(t, "2026.11.1", labelValue("2026.11.1"))
	require.Equal(t, strings.Repeat("1", 62), labelValue(strings.Repeat("1", 62)+".2"))
	require.Len(t, labelValue(strings.Repeat("1", 100)), 63)
}
