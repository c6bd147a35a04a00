package main

import (
	"context"
	"errors"
	"io/fs"
	"path/filepath"
	"strings"
	"time"

	"github.com/prometheus/procfs"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/ci/fleet"
	"github.com/tagline-ci/tagline/ci/local/process"
)

// usage is what processes of one kind hold.
type usage struct {
	Processes int
	Zombies   int
	Memory    int // bytes in the machine's memory
	Files     int // open file descriptors
	Threads   int
	Processor time.Duration // with that of children that have ended
}

// sample is what there is at one moment.
type sample struct {
	Kinds    map[string]usage // "kube-apiserver", "containerd", "IOCs" → usage
	Pods     int
	Secrets  int // of Helm
	Maps     int // ConfigMaps
	Leases   int
	Volumes  int // claims of volumes
	Registry int // files of the beamline's part of the registry
}

// The kinds of processes that the node's daemon is the ancestor of.
const (
	kindKubelet    = "kubelet"
	kindContainerd = "containerd"
	kindShims      = "containerd's shims"
	kindIOCs       = "IOCs"
	kindPods       = "other processes of pods"
)

// supervision are the kinds whose work is to watch IOCs.
var supervision = []string{kindKubelet, kindContainerd, kindShims, kindPods}

// daemons are the processes that tagline up leaves behind, by name.
var daemons = []string{"engine", "shelf", "kube-etcd", "kube-apiserver", "kube-controller-manager",
	"kube-scheduler", "kube-volumes", "kube-proxy", fleet.Node}

// stableTime is how long all IOCs must have been ready.
const (
	stableTime = 20 * time.Second
	settleTime = 8 * time.Minute // Kubernetes waits up to five before it starts a crashed IOC again
	quietTime  = time.Minute
)

// settled waits until every IOC has been ready for a while, and takes a sample.
func (b *soaked) settled(ctx context.Context) (sample, error) {
	if err := b.Settled(ctx, stableTime, settleTime); err != nil {
		return sample{}, err
	}
	return b.sample(ctx)
}

// quiet returns the processors that watching the IOCs takes while nothing else
// happens: 0.1 is a tenth of one.
func (b *soaked) quiet(ctx context.Context, length time.Duration) (float64, error) {
	start := time.Now()
	before, err := b.processes()
	if err != nil {
		return 0, err
	}
	if err := fleet.Sleep(ctx, length); err != nil {
		return 0, err
	}
	after, err := b.processes()
	if err != nil {
		return 0, err
	}
	var spent time.Duration
	for _, kind := range supervision {
		spent += after[kind].Processor - before[kind].Processor
	}
	return spent.Seconds() / time.Since(start).Seconds(), nil
}

func (b *soaked) sample(ctx context.Context) (s sample, err error) {
	if s.Kinds, err = b.processes(); err != nil {
		return s, err
	}
	s.Registry, err = countFiles(b.State.Path("registry", "docker", "registry", "v2", "repositories", line))
	if err != nil {
		return s, err
	}
	list := metav1.ListOptions{}
	core := b.Client.CoreV1()
	found, err1 := core.Pods(b.Name).List(ctx, list)
	secrets, err2 := core.Secrets(b.Name).List(ctx, metav1.ListOptions{LabelSelector: "owner=helm"})
	maps, err3 := core.ConfigMaps(b.Name).List(ctx, list)
	leases, err4 := b.Client.CoordinationV1().Leases(b.Name).List(ctx, list)
	claims, err5 := core.PersistentVolumeClaims(b.Name).List(ctx, list)
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		return s, err
	}
	s.Pods, s.Secrets, s.Maps = len(found.Items), len(secrets.Items), len(maps.Items)
	s.Leases, s.Volumes = len(leases.Items), len(claims.Items)
	return s, nil
}

// countFiles counts the files below dir.
func countFiles(dir string) (n int, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	return n, err
}

// processes returns what the processes of tagline up hold, by kind.
func (b *soaked) processes() (map[string]usage, error) {
	roots := map[int]string{}
	for _, name := range daemons {
		if pid, ok := process.Pid(b.State, name); ok {
			roots[pid] = name
		}
	}
	all, err := procfs.AllProcs()
	if err != nil {
		return nil, err
	}
	stats, lines := map[int]procfs.ProcStat{}, map[int][]string{}
	kinds := map[string]usage{}
	files := map[int]int{}
	for _, p := range all {
		stat, err := p.Stat()
		if err != nil {
			continue // it has ended since
		}
		stats[p.PID] = stat
		lines[p.PID], _ = p.CmdLine() // none of a zombie
		files[p.PID], _ = p.FileDescriptorsLen()
	}
	for pid, stat := range stats {
		if daemon := fleet.Daemon(pid, stats, roots); daemon != "" {
			kind := kindOf(daemon, lines[pid])
			kinds[kind] = kinds[kind].add(stat, files[pid])
		}
	}
	return kinds, nil
}

// kindOf returns the kind of a process below a daemon.
func kindOf(daemon string, line []string) string {
	if daemon != fleet.Node {
		return daemon
	}
	text := strings.Join(line, " ")
	switch {
	case isIOC(line):
		return kindIOCs
	case strings.Contains(text, "kube kubelet "), strings.Contains(text, "kube node "),
		strings.Contains(text, "serve enclosed"):
		return kindKubelet
	case len(line) > 0 && filepath.Base(line[0]) == "containerd":
		return kindContainerd
	case len(line) > 0 && strings.HasPrefix(filepath.Base(line[0]), "containerd-shim"):
		return kindShims
	}
	return kindPods
}

// tick is the kernel's unit of processor time.
const tick = time.Second / 100

func (u usage) add(s procfs.ProcStat, files int) usage {
	u.Processes++
	if s.State == "Z" {
		u.Zombies++
	}
	u.Memory += s.ResidentMemory()
	u.Files += files
	u.Threads += s.NumThreads
	u.Processor += time.Duration(int(s.UTime)+int(s.STime)+s.CUTime+s.CSTime) * tick
	return u
}
