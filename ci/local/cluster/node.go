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

	"github.com/tagline-ci/tagline/ci/local/host"
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

// The names of nodes.
const (
	FirstName  = "beamline-node"
	SecondName = "beamline-node-2"
)

// node is a node of the cluster: a kubelet and its containerd. Nodes are on one
// machine and in its network, so what they have of their own has a name, a port,
// a folder or a control group of its own.
type node struct {
	cluster
	Name   string // in the cluster
	Daemon string // the process
	Folder string // of what it reads and keeps, below the cluster's; empty for the cluster's own
	Port   int    // where its kubelet answers
	Cgroup string // holds the control groups of its pods
	Pods   addresses
	Taint  string // the key of a taint, which a pod here must tolerate; empty for none
}

func (c cluster) first() node {
	return node{cluster: c, Name: FirstName, Daemon: nodeDaemon, Port: 16250, Cgroup: "/tagline", Pods: firstPods}
}

// own returns a path below the node's folder.
func (n node) own(elem ...string) string { return n.path(append([]string{n.Folder}, elem...)...) }

func (n node) pki(name string) string { return n.own("pki", name) }

func (n node) kubeconfig() string { return n.own("kubelet.kubeconfig") }

// prepare writes all that the node reads, but its credentials, and makes its
// folders and its control group.
func (n node) prepare(ctx context.Context) error {
	for dir, mode := range map[string]os.FileMode{"containerd": 0o711, "networks": 0o755} {
		if err := os.MkdirAll(n.own(dir), mode); err != nil {
			return err
		}
	}
	if err := errors.Join(n.writeContainerd(), n.writeKubelet()); err != nil {
		return err
	}
	if !process.Running(n.Dir, n.Daemon) {
		// A node that was killed leaves the groups of its containers, and the kubelet
		// waits three seconds at each before it looks at any pod. Those that are in use
		// are another cluster's, and stay.
		_ = host.RemoveCgroups(ctx, n.Cgroup)
	}
	return host.EnsureCgroups(n.Cgroup)
}

// daemon is containerd and the kubelet in an enclosure. All that they leave in
// the machine's folders lies in ours, and what they mount and start ends with
// them.
func (n node) daemon(client kubernetes.Interface) process.Daemon {
	since := time.Time{}
	if !process.Running(n.Dir, n.Daemon) {
		since = time.Now().Truncate(time.Second)
	}
	args := n.kube("node", containerdSocket, "/usr/bin/containerd", "--config", n.own("containerd.toml"), "--",
		n.Bin+"/kube", "kubelet", "--config="+n.own("kubelet.json"), "--kubeconfig="+n.kubeconfig(),
		"--hostname-override="+n.Name, "--node-ip="+n.NodeIP, "--housekeeping-interval=1m")
	return process.Daemon{
		Name: n.Daemon, Self: n.Self, Private: n.enclosure(), Args: args,
		Env:   []string{"PATH=" + process.SystemPath, "CONFIGURATION=" + n.configuration()},
		Limit: 2 * time.Minute,
		Ready: func(ctx context.Context) error { return n.ready(ctx, client, since) },
	}
}

// ready wants a report of the node that is no older than since: the cluster
// remembers what the node said before it stopped.
func (n node) ready(ctx context.Context, client kubernetes.Interface, since time.Time) error {
	known, err := client.CoreV1().Nodes().Get(ctx, n.Name, meta.GetOptions{})
	if err != nil {
		return err
	}
	for _, cond := range known.Status.Conditions {
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

func (n node) enclosure() *process.Enclosure {
	enc := &process.Enclosure{
		Empty: []string{"/run"},
		Binds: []process.Bind{
			{From: n.own("var-lib"), To: "/var/lib"},
			{From: n.own("var-log"), To: "/var/log"},
			{From: string(n.Dir), To: string(n.Dir)}, // it may lie below one of them
		},
	}
	for _, name := range slices.Sorted(maps.Keys(kubeletSettings)) {
		enc.Binds = append(enc.Binds, process.Bind{
			From: n.own("settings", name), To: filepath.Join("/proc/sys", name),
		})
	}
	if real, err := filepath.EvalSymlinks("/etc/resolv.conf"); err == nil && strings.HasPrefix(real, "/run/") {
		enc.Binds = append(enc.Binds, process.Bind{From: real, To: real})
	}
	return enc
}

// writeKubelet writes what the kubelet reads, and makes its folders.
func (n node) writeKubelet() error {
	for _, dir := range []string{"var-lib/kubelet", "var-log"} {
		if err := os.MkdirAll(n.own(dir), 0o755); err != nil {
			return err
		}
	}
	for name, value := range kubeletSettings {
		if err := state.WriteFile(n.own("settings", name), []byte(value+"\n"), 0o644); err != nil {
			return err
		}
	}
	b, err := json.MarshalIndent(n.kubeletConfig(), "", "  ")
	if err != nil {
		return err
	}
	return state.WriteFile(n.own("kubelet.json"), b, 0o644)
}

func (n node) kubeletConfig() map[string]any {
	config := map[string]any{
		"apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
		"address": n.NodeIP, "port": n.Port, "healthzPort": 0,
		"tlsCertFile": n.pki("kubelet.crt"), "tlsPrivateKeyFile": n.pki("kubelet.key"),
		"authentication": map[string]any{
			"anonymous": map[string]any{"enabled": false},
			"x509":      map[string]any{"clientCAFile": n.cluster.pki("ca.crt")},
		},
		"containerRuntimeEndpoint": "unix://" + containerdSocket,
		// Both kinds of control groups will do, and no right beyond root's.
		"failCgroupV1": false, "cgroupDriver": "cgroupfs", "cgroupRoot": n.Cgroup,
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
	if n.Taint != "" {
		config["registerWithTaints"] = []core.Taint{{Key: n.Taint, Effect: core.TaintEffectNoSchedule}}
	}
	return config
}

// configuration is a hash of the files that the node reads when it starts; with
// other ones it must be started anew.
func (n node) configuration() string {
	h := sha256.New()
	for _, name := range []string{"containerd.toml", "kubelet.json"} {
		b, _ := os.ReadFile(n.own(name)) // written a moment ago; the node reports what it misses
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}
