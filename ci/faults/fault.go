package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"syscall"

	"github.com/prometheus/procfs"

	"github.com/tagline-ci/tagline/ci/local/process"
)

// fault is one way in which a part fails.
type fault struct {
	part string // "the registry", as the table says it
	how  how
	pid  func(*trial) (int, error) // of the part; of the command, when nil
	// mended reports whether the part is started again by what watches it. What
	// isn't is started by tagline up, as a person would.
	mended bool
}

// how is what happens to a part.
type how string

const (
	killed      how = "killed"
	frozen      how = "frozen"
	interrupted how = "interrupted"
)

func (f fault) String() string { return f.part + " " + string(f.how) }

// faults are all that are drawn from. An engine that is killed loses its cache,
// and the next release would build EPICS Base: it is frozen only.
var faults = []fault{
	{part: "the command", how: killed},
	{part: "the command", how: frozen},
	{part: "the command", how: interrupted},
	{part: "registry and git server", how: killed, pid: daemon("shelf")},
	{part: "registry and git server", how: frozen, pid: daemon("shelf")},
	{part: "engine", how: frozen, pid: daemon("engine")},
	{part: "API server", how: killed, pid: daemon("kube-apiserver")},
	{part: "API server", how: frozen, pid: daemon("kube-apiserver")},
	{part: "etcd", how: killed, pid: daemon("kube-etcd")},
	{part: "etcd", how: frozen, pid: daemon("kube-etcd")},
	{part: "controllers", how: killed, pid: daemon("kube-controller-manager")},
	{part: "kubelet", how: killed, pid: child("kube kubelet"), mended: true},
	{part: "kubelet", how: frozen, pid: child("kube kubelet")},
	{part: "containerd", how: killed, pid: child("/usr/bin/containerd"), mended: true},
	{part: "node", how: killed, pid: daemon("kube-node")},
}

// daemon returns how to find a daemon of tagline up.
func daemon(name string) func(*trial) (int, error) {
	return func(t *trial) (int, error) {
		pid, ok := process.Pid(t.State, name)
		if !ok {
			return 0, fmt.Errorf("%s does not run", name)
		}
		return pid, nil
	}
}

// child returns how to find the process below the node whose command line has
// the text in it.
func child(text string) func(*trial) (int, error) {
	return func(t *trial) (int, error) {
		node, err := daemon("kube-node")(t)
		if err != nil {
			return 0, err
		}
		all, err := procfs.AllProcs()
		if err != nil {
			return 0, err
		}
		parents := map[int]int{}
		for _, p := range all {
			if stat, err := p.Stat(); err == nil {
				parents[p.PID] = stat.PPID
			}
		}
		for _, p := range all {
			line, err := p.CmdLine()
			own := err == nil && strings.Contains(strings.Join(line, " "), text) &&
				!slices.Contains(line, "node") // the node's own line names both
			if own && descends(p.PID, node, parents) {
				return p.PID, nil
			}
		}
		return 0, fmt.Errorf("no process of the node is %q", text)
	}
}

// descends reports whether a process has an ancestor.
func descends(pid, ancestor int, parents map[int]int) bool {
	for pid > 1 {
		if pid = parents[pid]; pid == ancestor {
			return true
		}
	}
	return false
}

// strike does the fault to a process.
func (f fault) strike(pid int) error {
	return syscall.Kill(pid, map[how]syscall.Signal{
		killed: syscall.SIGKILL, frozen: syscall.SIGSTOP, interrupted: syscall.SIGINT,
	}[f.how])
}

// mend ends the fault: what was frozen goes on, and what was killed and nobody
// watches is started.
func (t *trial) mend(ctx context.Context, f fault, pid int) error {
	switch {
	case f.how == frozen:
		return syscall.Kill(pid, syscall.SIGCONT)
	case f.how == killed && f.pid != nil && !f.mended:
		return t.Tagline(ctx, "up")
	}
	return nil
}
