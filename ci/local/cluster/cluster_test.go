package cluster

import (
	"crypto/x509"
	"encoding/json"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/BurntSushi/toml"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/cert"

	"github.com/tagline-ci/tagline/ci/local/host"
	"github.com/tagline-ci/tagline/ci/local/state"
)

func testCluster(t *testing.T) cluster {
	t.Helper()
	return cluster{Dir: state.Dir(t.TempDir()), Bin: "/bin", Registry: "10.87.0.1:5000", NodeIP: host.GatewayIP}
}

func readCert(t *testing.T, path string) *x509.Certificate {
	t.Helper()
	certs, err := cert.CertsFromFile(path)
	require.NoError(t, err)
	return certs[0]
}

func TestServersAreKnownByEveryNameTheyAreReachedBy(t *testing.T) {
	c := testCluster(t)
	require.NoError(t, c.writeCredentials())
	roots, err := cert.NewPool(c.pki("ca.crt"))
	require.NoError(t, err)
	for file, hosts := range map[string][]string{
		"apiserver.crt": {"127.0.0.1", host.GatewayIP, "kubernetes.default.svc", apiServiceIP},
		"kubelet.crt":   {FirstName, host.GatewayIP},
	} {
		crt := readCert(t, c.pki(file))
		for _, host := range hosts {
			_, err := crt.Verify(x509.VerifyOptions{Roots: roots, DNSName: host})
			assert.NoError(t, err, "%s as %s", file, host)
		}
		_, err := crt.Verify(x509.VerifyOptions{
			Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		})
		assert.Error(t, err, "%s must not do as a client", file)
	}
}

func TestKubeconfigStandsAlone(t *testing.T) {
	c := testCluster(t)
	require.NoError(t, c.writeCredentials())
	roots, err := cert.NewPool(c.pki("ca.crt"))
	require.NoError(t, err)
	for user, id := range users {
		config, err := clientcmd.BuildConfigFromFlags("", c.kubeconfig(user))
		require.NoError(t, err)
		assert.Equal(t, c.apiURL(), config.Host)
		assert.Empty(t, config.CAFile+config.CertFile+config.KeyFile, "names files")
		crts, err := cert.ParseCertsPEM(config.CertData)
		require.NoError(t, err)
		_, err = crts[0].Verify(x509.VerifyOptions{
			Roots: roots, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		})
		assert.NoError(t, err, user)
		assert.Equal(t, id.User, crts[0].Subject.CommonName)
		assert.Equal(t, id.Groups, crts[0].Subject.Organization)
		info, err := os.Stat(c.kubeconfig(user))
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	}
}

func TestSecondStartKeepsWhatWasHandedOut(t *testing.T) {
	c := testCluster(t)
	require.NoError(t, c.writeCredentials())
	before, err := os.ReadFile(c.pki("service-accounts.key"))
	require.NoError(t, err)
	old := readCert(t, c.pki("apiserver.crt"))
	require.NoError(t, c.writeCredentials())
	after, err := os.ReadFile(c.pki("service-accounts.key"))
	require.NoError(t, err)
	assert.Equal(t, before, after, "tokens of pods that run would be refused")
	roots, err := cert.NewPool(c.pki("ca.crt"))
	require.NoError(t, err)
	_, err = old.Verify(x509.VerifyOptions{Roots: roots})
	assert.NoError(t, err, "the authority is another one")
}

func TestAUserWithoutAKubeconfigIsSeen(t *testing.T) {
	c := testCluster(t)
	assert.False(t, c.haveKubeconfigs())
	require.NoError(t, c.writeCredentials())
	assert.True(t, c.haveKubeconfigs())
	require.NoError(t, os.Remove(c.kubeconfig("proxy")))
	assert.False(t, c.haveKubeconfigs())
}

func TestAuthorityThatWasHalfMadeIsMadeAgain(t *testing.T) {
	c := testCluster(t)
	require.NoError(t, state.WriteFile(c.pki("ca.key"), []byte("half a ke"), 0o600))
	assert.NoError(t, c.writeCredentials())
}

func TestContainerdConfiguration(t *testing.T) {
	c := testCluster(t)
	require.NoError(t, c.first().writeContainerd())
	var config struct {
		Version int
		Root    string
		State   string
		Plugins map[string]map[string]any
	}
	_, err := toml.DecodeFile(c.path("containerd.toml"), &config)
	require.NoError(t, err)
	assert.Equal(t, 2, config.Version)
	assert.Equal(t, c.path("containerd"), config.Root)
	cri := config.Plugins["io.containerd.grpc.v1.cri"]
	assert.Equal(t, "10.87.0.1:5000/tagline/pause:1", cri["sandbox_image"])
	assert.Equal(t, map[string]any{"config_path": c.path("hosts")}, cri["registry"])
	assert.True(t, strings.HasPrefix(containerdSocket, config.State+"/"))

	var hosts struct {
		Server string
		Host   map[string]struct{ Capabilities []string }
	}
	_, err = toml.DecodeFile(c.path("hosts", "10.87.0.1:5000", "hosts.toml"), &hosts)
	require.NoError(t, err)
	assert.Equal(t, "http://10.87.0.1:5000", hosts.Server)
	assert.NotContains(t, hosts.Host["http://10.87.0.1:5000"].Capabilities, "push")
}

func TestKubeletSeesSettingsOfItsOwn(t *testing.T) {
	c := testCluster(t)
	require.NoError(t, c.first().writeKubelet())
	shown := map[string]string{}
	for _, b := range c.first().enclosure().Binds {
		shown[b.To] = b.From
	}
	for name, value := range kubeletSettings {
		got, err := os.ReadFile(shown[filepath.Join("/proc/sys", name)])
		require.NoError(t, err)
		assert.Equal(t, value, strings.TrimSpace(string(got)))
	}
	for _, dir := range []string{"/var/lib", "/var/log"} {
		assert.True(t, strings.HasPrefix(shown[dir], string(c.Dir)), "%s must not be the machine's", dir)
	}
	assert.Equal(t, c.first().enclosure(), c.first().enclosure(), "the node would be started anew each time")
	var config map[string]any
	b, err := os.ReadFile(c.path("kubelet.json"))
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(b, &config))
	assert.Equal(t, "KubeletConfiguration", config["kind"])
}

func TestOtherConfigurationIsAnotherNode(t *testing.T) {
	c := testCluster(t)
	require.NoError(t, errors.Join(c.first().writeContainerd(), c.first().writeKubelet()))
	before := c.first().configuration()
	require.NoError(t, errors.Join(c.first().writeContainerd(), c.first().writeKubelet()))
	assert.Equal(t, before, c.first().configuration())
	c.Registry = "10.87.0.1:5001"
	require.NoError(t, c.first().writeContainerd())
	assert.NotEqual(t, before, c.first().configuration())
}

func TestNodeReady(t *testing.T) {
	start := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	node := func(status core.ConditionStatus, heartbeat time.Time) *core.Node {
		return &core.Node{ObjectMeta: meta.ObjectMeta{Name: FirstName}, Status: core.NodeStatus{
			Conditions: []core.NodeCondition{
				{Type: core.NodeDiskPressure, Status: core.ConditionFalse},
				{
					Type: core.NodeReady, Status: status, Message: "no network yet",
					LastHeartbeatTime: meta.NewTime(heartbeat),
				},
			}}}
	}
	for name, test := range map[string]struct {
		node  *core.Node
		wants string
	}{
		"ready":                      {node(core.ConditionTrue, start), ""},
		"ready before the last stop": {node(core.ConditionTrue, start.Add(-time.Minute)), "not reported"},
		"not ready":                  {node(core.ConditionFalse, start), "no network yet"},
		"new":                        {&core.Node{ObjectMeta: meta.ObjectMeta{Name: FirstName}}, "no state"},
		"another":                    {&core.Node{ObjectMeta: meta.ObjectMeta{Name: "other"}}, "not found"},
	} {
		t.Run(name, func(t *testing.T) {
			err := testCluster(t).first().ready(t.Context(), fake.NewClientset(test.node), start)
			if test.wants == "" {
				assert.NoError(t, err)
				return
			}
			assert.ErrorContains(t, err, test.wants)
		})
	}
}

func TestPodsOfAStoppedNodeAreNotReady(t *testing.T) {
	pod := func(name string, ready core.ConditionStatus) *core.Pod {
		return &core.Pod{ObjectMeta: meta.ObjectMeta{Name: name, Namespace: "bl01t"}, Status: core.PodStatus{
			Phase: core.PodRunning,
			Conditions: []core.PodCondition{
				{Type: core.PodScheduled, Status: core.ConditionTrue},
				{Type: core.ContainersReady, Status: ready}, {Type: core.PodReady, Status: ready},
			},
			ContainerStatuses: []core.ContainerStatus{{Name: "ioc", Ready: ready == core.ConditionTrue}},
		}}
	}
	client := fake.NewClientset(pod("up", core.ConditionTrue), pod("down", core.ConditionFalse))
	require.NoError(t, forgetReadiness(t.Context(), client))
	up, err := client.CoreV1().Pods("bl01t").Get(t.Context(), "up", meta.GetOptions{})
	require.NoError(t, err)
	assert.Equal(t, core.ConditionTrue, up.Status.Conditions[0].Status, "it is still scheduled")
	for _, c := range up.Status.Conditions[1:] {
		assert.Equal(t, core.ConditionFalse, c.Status)
		assert.Equal(t, reasonRestarted, c.Reason)
	}
	assert.False(t, up.Status.ContainerStatuses[0].Ready)
	updates := 0
	for _, a := range client.Actions() {
		if a.GetVerb() == "update" {
			updates++
		}
	}
	assert.Equal(t, 1, updates, "a pod that was not ready is left alone")
}

func TestProgramImageIsTheSameEachTime(t *testing.T) {
	program := filepath.Join(t.TempDir(), "pause")
	require.NoError(t, os.WriteFile(program, []byte("program"), 0o755))
	a, err := programImage(program)
	require.NoError(t, err)
	require.NoError(t, os.Chtimes(program, time.Time{}, time.Unix(1, 0)))
	b, err := programImage(program)
	require.NoError(t, err)
	digestA, err := a.Digest()
	require.NoError(t, err)
	digestB, err := b.Digest()
	require.NoError(t, err)
	assert.Equal(t, digestA, digestB)
}

func TestPodsAndTheEngineShareABridgeButNoAddress(t *testing.T) {
	c := testCluster(t)
	require.NoError(t, c.first().writeContainerd())
	b, err := os.ReadFile(c.path("networks", "10-pods.conflist"))
	require.NoError(t, err)
	var list struct {
		Plugins []struct {
			Type, Bridge string
			IPAM         struct {
				DataDir string
				Ranges  [][]struct{ Subnet, RangeStart, RangeEnd, Gateway string }
			}
		}
	}
	require.NoError(t, json.Unmarshal(b, &list))
	require.Len(t, list.Plugins, 1)
	assert.Equal(t, host.BridgeName, list.Plugins[0].Bridge)
	assert.True(t, strings.HasPrefix(list.Plugins[0].IPAM.DataDir, "/run/"), "addresses outlive their pods")
	r := list.Plugins[0].IPAM.Ranges[0][0]
	assert.Equal(t, host.GatewayIP, r.Gateway)
	pods, network := netip.MustParsePrefix(podCIDR), netip.MustParsePrefix(host.NetworkCIDR)
	for _, ip := range []string{r.RangeStart, r.RangeEnd} {
		assert.True(t, pods.Contains(netip.MustParseAddr(ip)), ip)
	}
	assert.True(t, network.Contains(pods.Addr()))
	assert.NotEqual(t, network.Addr(), pods.Addr(), "the engine counts from there")
	services := netip.MustParsePrefix(serviceCIDR)
	assert.False(t, services.Overlaps(network), "services are led, not reached at the bridge")
}

func TestTheProxyLeavesTheKernelsSettingsAlone(t *testing.T) {
	c := testCluster(t)
	require.NoError(t, c.writeProxy())
	b, err := os.ReadFile(c.path("proxy.json"))
	require.NoError(t, err)
	var config struct {
		Mode, ClusterCIDR string
		Conntrack         map[string]any
	}
	require.NoError(t, json.Unmarshal(b, &config))
	assert.Equal(t, "nftables", config.Mode, "rules of iptables are the machine's")
	assert.Equal(t, podCIDR, config.ClusterCIDR)
	assert.Equal(t, map[string]any{
		"maxPerCore": 0.0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s",
	}, config.Conntrack)
}
