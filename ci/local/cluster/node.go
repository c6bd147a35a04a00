package cluster

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/tagline-ci/tagline/ci/local/process"
	"github.com/tagline-ci/tagline/ci/local/state"
)

// Kernel settings that the kubelet changes for the whole machine. It is shown
// files that have its values already, so the kernel's stay as they are.
var kubeletSettings = map[string]string{
	"vm/overcommit_memory":      "1",
	"vm/panic_on_oom":           "0",
	"kernel/panic":              "10",
	"kernel/panic_on_oops":      "1",
	"kernel/keys/root_maxkeys":  "1000000",
	"kernel/keys/root_maxbytes": "25000000",
}

// node is containerd and the kubelet in an enclosure. All that they leave in
// the machine's folders lies in ours, and what they mount and start ends with
// them.
func (c cluster) node(client kubernetes.Interface) process.Daemon {
	since := time.Time{}
	if !process.Running(c.Dir, nodeDaemon) {
		since = time.Now().Truncate(time.Second)
	}
	args := c.kube("node", containerdSocket, "/usr/bin/containerd", "--config", c.path("containerd.toml"), "--",
		c.Bin+"/kube", "kubelet", "--config="+c.path("kubelet.json"), "--kubeconfig="+c.kubeconfig("kubelet"),
		"--hostname-override="+nodeName, "--node-ip="+c.NodeIP, "--housekeeping-interval=1m")
	return process.Daemon{
		Name: nodeDaemon, Self: c.Self, Private: c.enclosure(), Args: args,
		Env:   []string{"PATH=" + process.SystemPath, "CONFIGURATION=" + c.configuration()},
		Limit: 2 * time.Minute,
		Ready: func(ctx context.Context) error { return nodeReady(ctx, client, since) },
	}
}

// nodeReady wants a report of the node that is no older than since: the cluster
// remembers what the node said before it stopped.
func nodeReady(ctx context.Context, client kubernetes.Interface, since time.Time) error {
	n, err := client.CoreV1().Nodes().Get(ctx, nodeName, meta.GetOptions{})
	if err != nil {
		return err
	}
	for _, cond := range n.Status.Conditions {
		if cond.Type != core.NodeReady {
			continue
		}
		if cond.LastHeartbeatTime.Time.Before(since) {
			return errors.New("the node has not reported yet")
		}
		if cond.Status == core.ConditionTrue {
			return nil
		}
		return fmt.Errorf("the node is not ready: %s", cond.Message)
	}
	return errors.New("the node has no state yet")
}

func (c cluster) enclosure() *process.Enclosure {
	enc := &process.Enclosure{
		Empty: []string{"/run"},
		Binds: []process.Bind{
			{From: c.path("var-lib"), To: "/var/lib"},
			{From: c.path("var-log"), To: "/var/log"},
			{From: string(c.Dir), To: string(c.Dir)}, // it may lie below one of them
		},
	}
	for _, name := range slices.Sorted(maps.Keys(kubeletSettings)) {
		enc.Binds = append(enc.Binds, process.Bind{
			From: c.path("settings", name), To: filepath.Join("/proc/sys", name),
		})
	}
	if real, err := filepath.EvalSymlinks("/etc/resolv.conf"); err == nil && strings.HasPrefix(real, "/run/") {
		enc.Binds = append(enc.Binds, process.Bind{From: real, To: real})
	}
	return enc
}

// writeKubelet writes what the kubelet reads, and makes its folders.
func (c cluster) writeKubelet() error {
	for _, dir := range []string{"var-lib/kubelet", "var-log"} {
		if err := os.MkdirAll(c.path(dir), 0o755); err != nil {
			return err
		}
	}
	for name, value := range kubeletSettings {
		if err := state.WriteFile(c.path("settings", name), []byte(value+"\n"), 0o644); err != nil {
			return err
		}
	}
	b, err := json.MarshalIndent(c.kubeletConfig(), "", "  ")
	if err != nil {
		return err
	}
	return state.WriteFile(c.path("kubelet.json"), b, 0o644)
}

func (c cluster) kubeletConfig() map[string]any {
	return map[string]any{
		"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
		"address": c.NodeIP, "port": kubeletPort, "healthzPort": 0,
		"tlsCertFile": c.pki("kubelet.crt"), "tlsPrivateKeyFile": c.pki("kubelet.key"),
		"authentication": map[string]any{
			"anonymous": map[string]any{"enabled": false},
			"x509":      map[string]any{"clientCAFile": c.pki("ca.crt")},
		},
		"containerRuntimeEndpoint": "unix://" + containerdSocket,
		// Both kinds of control groups will do, and no right beyond root's.
		"failCgroupV1": false, "cgroupDriver": "cgroupfs", "cgroupRoot": cgroup,
		"oomScoreAdj": 0, "failSwapOn": false,
		"makeIPTablesUtilChains": false, // firewall rules are the machine's own
		// A nearly full disk is the machine's normal state, and images that
		// are not used now are used by the next test.
		"evictionHard": map[string]any{
			"memory.available": "50Mi",
			"nodefs.available": "0%", "nodefs.inodesFree": "0%",
			"imagefs.available": "0%", "imagefs.inodesFree": "0%",
		},
		"imageGCHighThresholdPercent": 100,
		"serializeImagePulls":         false,
		// Nothing here changes without the kubelet: looking rarely is enough.
		"nodeStatusUpdateFrequency": "30s", "nodeLeaseDurationSeconds": 120,
		"volumeStatsAggPeriod": "-1s", "containerLogMonitorInterval": "1m",
	}
}

// configuration is a hash of the files that the node reads when it starts; with
// other ones it must be started anew.
func (c cluster) configuration() string {
	h := sha256.New()
	for _, name := range []string{"containerd.toml", "kubelet.json"} {
		b, _ := os.ReadFile(c.path(name)) // written a moment ago; the node reports what it misses
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}
