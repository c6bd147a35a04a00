package cluster

import (
	"context"
	"encoding/json"

	"github.com/tagline-ci/tagline/ci/local/host"
	"github.com/tagline-ci/tagline/ci/local/process"
	"github.com/tagline-ci/tagline/ci/local/state"
)

// The addresses of pods are the upper half of the network: the engine counts
// its containers from below.
const podCIDR = "10.87.128.0/17"

// addresses are those that a node gives its pods.
type addresses struct{ First, Last string }

var (
	firstPods  = addresses{"10.87.128.1", "10.87.254.254"}
	secondPods = addresses{"10.87.255.1", "10.87.255.254"}
)

// podNetwork is the list of network plugins that containerd reads. The pods are
// at the engine's bridge; which address a pod has is forgotten with the node, as
// its pods are.
func podNetwork(pods addresses) ([]byte, error) {
	return json.MarshalIndent(map[string]any{
		"cniVersion": "1.0.0", "name": "pods",
		"plugins": []any{map[string]any{
			"type": "bridge", "bridge": host.BridgeName,
			"ipam": map[string]any{
				"type": "host-local", "dataDir": "/run/cni/networks",
				"ranges": []any{[]any{map[string]any{
					"subnet": host.NetworkCIDR, "rangeStart": pods.First, "rangeEnd": pods.Last,
					"gateway": host.GatewayIP,
				}}},
				"routes": []any{map[string]any{"dst": "0.0.0.0/0"}},
			},
		}},
	}, "", "  ")
}

// proxy is kube-proxy, which leads the addresses of services to their pods.
func (c cluster) proxy() process.Daemon {
	return process.Daemon{
		Name:  proxyDaemon,
		Args:  c.kube("kube-proxy", "--config="+c.path("proxy.json")),
		Ready: func(context.Context) error { return host.ServicesReady() },
	}
}

// writeProxy writes what kube-proxy reads. Its rules lie in one table of
// nftables, which goes as a whole, and it leaves the kernel's settings alone.
func (c cluster) writeProxy() error {
	b, err := json.MarshalIndent(map[string]any{
		"apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
		"clientConnection": map[string]any{"kubeconfig": c.kubeconfig("proxy")},
		"hostnameOverride": FirstName, "bindAddress": c.NodeIP,
		"mode": "nftables", "clusterCIDR": podCIDR,
		// It insists on both; nobody asks there.
		"healthzBindAddress": "127.0.0.1:16256", "metricsBindAddress": "127.0.0.1:16249",
		"conntrack": map[string]any{
			"maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s",
		},
	}, "", "  ")
	if err != nil {
		return err
	}
	return state.WriteFile(c.path("proxy.json"), b, 0o644)
}
