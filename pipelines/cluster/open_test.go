package cluster_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/cluster/clustertest"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// A namespace that is missing is made with the beamline's name on it. One that is
// there, or that may not be looked at, is left as it is.
func TestEnsureMakesTheNamespaceOnce(t *testing.T) {
	s := clustertest.New(t)
	n := s.Namespace(t, "bl01t")
	require.NoError(t, n.Ensure(t.Context()))
	require.NoError(t, n.Ensure(t.Context()))
	require.Equal(t, []string{"POST namespaces"}, s.Changes())
	made, err := n.Client.CoreV1().Namespaces().Get(t.Context(), "bl01t", metav1.GetOptions{})
	require.NoError(t, err)
	require.Equal(t, map[string]string{cluster.LabelBeamline: "bl01t"}, made.Labels)

	s = clustertest.New(t, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "bl01t"}})
	require.NoError(t, s.Namespace(t, "bl01t").Ensure(t.Context()))
	s = clustertest.New(t)
	s.Refuse("GET namespaces")
	require.NoError(t, s.Namespace(t, "bl01t").Ensure(t.Context()), "whoever may use it need not see it")
	require.Empty(t, s.Changes())
	s.Refuse("POST namespaces")
	err = s.Namespace(t, "bl01t").Ensure(t.Context())
	require.ErrorContains(t, err, "creating namespace bl01t: ")
	require.ErrorContains(t, err, "see that the cluster is up and that the kubeconfig may do this, then run it again")
	require.Equal(t, diag.Broken, diag.KindOf(err))
}

// Helm finds the same namespace, and asks for what the cluster serves with a time
// limit.
func TestHelmReachesTheSameNamespace(t *testing.T) {
	n := clustertest.New(t).Namespace(t, "bl01t")
	name, _, err := n.Helm.ToRawKubeConfigLoader().Namespace()
	require.NoError(t, err)
	require.Equal(t, "bl01t", name)
	config, err := n.Helm.ToRESTConfig()
	require.NoError(t, err)
	require.Equal(t, cluster.RequestTimeout, config.Timeout)
	require.Zero(t, n.Config.Timeout, "a console is open for hours")
	client, err := n.Helm.ToDiscoveryClient()
	require.NoError(t, err)
	version, err := client.ServerVersion()
	require.NoError(t, err)
	require.Equal(t, "v1.37.0", version.GitVersion)
	mapper, err := n.Helm.ToRESTMapper()
	require.NoError(t, err)
	kind, err := mapper.KindFor(corev1.SchemeGroupVersion.WithResource("persistentvolumeclaims"))
	require.NoError(t, err)
	require.Equal(t, "PersistentVolumeClaim", kind.Kind)
}

// Of several kubeconfigs those that are missing are passed over, as kubectl does.
func TestAccessReadsSeveralKubeconfigs(t *testing.T) {
	write := func(name, contexts string) string {
		file := t.TempDir() + "/" + name
		text := "apiVersion: v1\nkind: Config\nclusters: [{name: x, cluster: {server: 'http://127.0.0.1:1'}}]\n" + contexts
		require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
		return file
	}
	one := write("one", "current-context: b\ncontexts: [{name: b, context: {cluster: x, namespace: lab}}]\n")
	two := write("two", "contexts: [{name: a, context: {cluster: x}}]\n")
	all := cluster.Access{Kubeconfig: one + ":" + t.TempDir() + "/none:" + two}
	names, err := all.Contexts()
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, names)
	require.Equal(t, "lab", all.Namespace())
	all.Context = "a"
	names, err = all.Contexts()
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, names)
	require.Equal(t, "default", all.Namespace())
	n, err := cluster.Open(all, "bl01t", "bl01t")
	require.NoError(t, err)
	require.Equal(t, "http://127.0.0.1:1", n.Config.Host)
	require.Equal(t, []string{"b"}, n.Others)

	broken := cluster.Access{Kubeconfig: write("broken", "contexts: 5\n")}
	_, err = broken.Contexts()
	require.ErrorContains(t, err, "reading the kubeconfig "+broken.Kubeconfig)
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	require.Equal(t, "default", broken.Namespace())
}
