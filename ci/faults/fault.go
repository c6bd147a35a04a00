package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/procfs"
	"golang.org/x/sys/unix"

	"github.com/tagline-ci/tagline/ci/fleet"
	"github.com/tagline-ci/tagline/ci/local/process"
)

// fault is one way in which a part fails.
type fault struct {
	part string // "the registry", as the table says it
	how  how
	pid  func(*trial) (int, error)    // of the part; of the command, when nil
	port func(*trial) (uint16, error) // of a network that is cut
	// mended reports whether the part is started again by what watches it. What
	// isn't is started by tagline up, as a person would.
	mended bool
}

// how is what happens to a part.
type how string

const (
	killed      how = "killed"
	interrupted how = "interrupted"
	frozen      how = "frozen"
	slowed      how = "slowed" // to a tenth of its speed
	spent       how = "out of file descriptors"
	full        how = "with a full disk"
	cut         how = "cut" // so that a connection hangs
)

// lasts reports whether a fault is over after a while, by itself.
func (h how) lasts() bool { return h != killed && h != interrupted }

func (f fault) String() string { return f.part + " " + string(f.how) }

// faults are all that are drawn from. An engine that is killed loses its cache,
// and the next release would build EPICS Base: it is frozen only.
var faults = []fault{
	{part: "the command", how: killed},
	{part: "the command", how: frozen},
	{part: "the command", how: interrupted},
	{part: "registry and git server", how: killed, pid: daemon("shelf")},
	{part: "registry and git server", how: frozen, pid: daemon("shelf")},
	{part: "registry and git server", how: slowed, pid: daemon("shelf")},
	{part: "registry and git server", how: spent, pid: daemon("shelf")},
	{part: "registry and git server", how: full, pid: daemon("shelf")},
	{part: "engine", how: frozen, pid: daemon("engine")},
	{part: "API server", how: killed, pid: daemon("kube-apiserver")},
	{part: "API server", how: frozen, pid: daemon("kube-apiserver")},
	{part: "API server", how: slowed, pid: daemon("kube-apiserver")},
	{part: "API server", how: spent, pid: daemon("kube-apiserver")},
	{part: "etcd", how: killed, pid: daemon("kube-etcd")},
	{part: "etcd", how: frozen, pid: daemon("kube-etcd")},
	{part: "etcd", how: slowed, pid: daemon("kube-etcd")},
	{part: "etcd", how: full, pid: daemon("kube-etcd")},
	{part: "controllers", how: killed, pid: daemon("kube-controller-manager")},
	{part: "kubelet", how: killed, pid: child("kube kubelet"), mended: true},
	{part: "kubelet", how: frozen, pid: child("kube kubelet")},
	{part: "containerd", how: killed, pid: child("/usr/bin/containerd"), mended: true},
	{part: "containerd", how: full, pid: child("/usr/bin/containerd"), mended: true},
	{part: "node", how: killed, pid: daemon(fleet.Node)},
	{part: "network to the API server", how: cut, port: server(apiServer)},
	{part: "network to the registry and git server", how: cut, port: server(shelf)},
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
		node, err := daemon(fleet.Node)(t)
		if err != nil {
			return 0, err
		}
		all, err := procfs.AllProcs()
		if err != nil {
			return 0, err
		}
		stats := map[int]procfs.ProcStat{}
		for _, p := range all {
			if stat, err := p.Stat(); err == nil {
				stats[p.PID] = stat
			}
		}
		for _, p := range all {
			line, err := p.CmdLine()
			own := err == nil && strings.Contains(strings.Join(line, " "), text) &&
				!slices.Contains(line, "node") // the node's own line names both
			if own && fleet.Daemon(p.PID, stats, map[int]string{node: fleet.Node}) != "" {
				return p.PID, nil
			}
		}
		return 0, fmt.Errorf("no process of the node is %q", text)
	}
}

// strike does the fault to a process. One that lasts is over after length, or when
// ctx ends.
func (f fault) strike(ctx context.Context, pid int, length time.Duration) (err error) {
	switch f.how {
	case killed:
		return fleet.Kill(ctx, pid)
	case interrupted:
		return syscall.Kill(pid, syscall.SIGINT)
	case frozen:
		return stopFor(ctx, pid, length)
	case slowed:
		for end := time.Now().Add(length); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			if err := stopFor(ctx, pid, 90*time.Millisecond); err != nil {
				return err
			}
		}
		return nil
	}
	resource, most := unix.RLIMIT_NOFILE, uint64(0)
	if f.how == full {
		// No file may grow: what writes is told so, as by a disk without room.
		resource = unix.RLIMIT_FSIZE
	} else if most, err = descriptors(pid); err != nil {
		return err
	}
	return limit(ctx, pid, resource, most, length)
}

// stopFor freezes a process for a while.
func stopFor(ctx context.Context, pid int, length time.Duration) error {
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	err := fleet.Sleep(ctx, length)
	return errors.Join(err, syscall.Kill(pid, syscall.SIGCONT))
}

// descriptors returns how many files and connections a process has open.
func descriptors(pid int) (uint64, error) {
	p, err := procfs.NewProc(pid)
	if err != nil {
		return 0, err
	}
	n, err := p.FileDescriptorsLen()
	return uint64(n), err
}

// limit gives a process at most so much of a resource for a while.
func limit(ctx context.Context, pid, resource int, most uint64, length time.Duration) error {
	var before unix.Rlimit
	if err := unix.Prlimit(pid, resource, nil, &before); err != nil {
		return err
	}
	if err := unix.Prlimit(pid, resource, &unix.Rlimit{Cur: most, Max: before.Max}, nil); err != nil {
		return err
	}
	err := fleet.Sleep(ctx, length)
	return errors.Join(err, unix.Prlimit(pid, resource, &before, nil))
}

// mend starts again what was killed, or ended because it could not write, and
// nobody watches.
func (t *trial) mend(ctx context.Context, f fault) error {
	if (f.how == killed || f.how == full) && f.pid != nil && !f.mended {
		return t.Tagline(ctx, "up")
	}
	return nil
}
