package cluster

import (
	"encoding/json"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/cert"
)

// Both nodes are on one machine: what they share, they would take from each other.
func TestTheSecondNodeSharesNothingWithTheFirst(t *testing.T) {
	c := testCluster(t)
	first, second := c.first(), c.second()
	for what, pair := range map[string][2]string{
		"name": {first.Name, second.Name}, "process": {first.Daemon, second.Daemon},
		"group": {first.Cgroup, second.Cgroup}, "folder": {first.own(), second.own()},
		"credentials": {first.kubeconfig(), second.kubeconfig()}, "key": {first.pki("kubelet"), second.pki("kubelet")},
	} {
		assert.NotEqual(t, pair[0], pair[1], what)
	}
	assert.NotEqual(t, first.Port, second.Port)
	assert.False(t, strings.HasPrefix(second.Cgroup, first.Cgroup+"/"), "the first one's kubelet would remove it")
	shown := map[string]bool{}
	for _, b := range first.enclosure().Binds {
		shown[b.From] = true
	}
	for _, b := range second.enclosure().Binds {
		assert.True(t, !shown[b.From] || b.From == string(c.Dir) || b.From == b.To, "both see %s", b.From)
	}
	last, next := netip.MustParseAddr(first.Pods.Last), netip.MustParseAddr(second.Pods.First)
	assert.True(t, last.Less(next), "two pods would have one address")
	assert.True(t, netip.MustParsePrefix(podCIDR).Contains(netip.MustParseAddr(second.Pods.Last)))
}

func TestTheSecondNodeIsKnownToTheCluster(t *testing.T) {
	c := testCluster(t)
	require.NoError(t, c.writeCredentials())
	ca, err := ensureAuthority(c.pki("ca.crt"), c.pki("ca.key"))
	require.NoError(t, err)
	n := c.second()
	require.NoError(t, n.writeCredentials(ca))
	require.NoError(t, n.writeKubelet())
	assert.Contains(t, readCert(t, n.pki("kubelet.crt")).DNSNames, SecondName)
	config, err := clientcmd.BuildConfigFromFlags("", n.kubeconfig())
	require.NoError(t, err)
	crts, err := cert.ParseCertsPEM(config.CertData)
	require.NoError(t, err)
	assert.Equal(t, "system:node:"+SecondName, crts[0].Subject.CommonName, "it may change its own node alone")
	var kubelet struct {
		TLSCertFile        string
		RegisterWithTaints []core.Taint
		Authentication     struct{ X509 struct{ ClientCAFile string } }
	}
	b, err := os.ReadFile(n.own("kubelet.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &kubelet))
	assert.FileExists(t, kubelet.TLSCertFile)
	require.Len(t, kubelet.RegisterWithTaints, 1, "pods of others would fail with it")
	assert.NotContains(t, c.first().kubeletConfig(), "registerWithTaints")
	assert.FileExists(t, kubelet.Authentication.X509.ClientCAFile, "the cluster has one authority")
}

// What a killed test left is removed by the next start: nothing would ever say that
// the node is gone, and pods would be sent to it.
func TestNothingIsLeftOfASecondNode(t *testing.T) {
	c := testCluster(t)
	pod := &core.Pod{
		ObjectMeta: meta.ObjectMeta{Namespace: "bl01t", Name: "a"}, Spec: core.PodSpec{NodeName: SecondName},
	}
	silent := &core.Node{
		ObjectMeta: meta.ObjectMeta{Name: FirstName},
		Spec:       core.NodeSpec{Taints: []core.Taint{{Key: core.TaintNodeUnreachable}}},
	}
	client := fake.NewClientset(
		silent, &core.Node{ObjectMeta: meta.ObjectMeta{Name: SecondName}}, pod,
	)
	n := c.second()
	n.Cgroup = "/tagline-test-of-no-node" // that of a node which runs here is left alone
	require.NoError(t, os.MkdirAll(n.own("containerd"), 0o755))
	for range 2 { // and then there is nothing to do
		require.NoError(t, n.remove(t.Context(), client))
	}
	assert.NoDirExists(t, n.own())
	assert.DirExists(t, c.path())
	nodes, err := client.CoreV1().Nodes().List(t.Context(), meta.ListOptions{})
	require.NoError(t, err)
	require.Len(t, nodes.Items, 1)
	assert.Empty(t, nodes.Items[0].Spec.Taints, "nothing would be scheduled any more")
	pods, err := client.CoreV1().Pods("").List(t.Context(), meta.ListOptions{})
	require.NoError(t, err)
	assert.Empty(t, pods.Items)
}

func TestASecondNodeWantsACluster(t *testing.T) {
	s := SecondNode{State: testCluster(t).Dir}
	assert.ErrorContains(t, s.Start(t.Context()), "does not run")
	assert.ErrorContains(t, s.Kill(), "does not run")
}
