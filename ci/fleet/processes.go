package fleet

import (
	"context"
	"syscall"
	"time"

	"github.com/prometheus/procfs"
)

// Node is the daemon of tagline up below which the kubelet, containerd and the pods run.
const Node = "kube-node"

// Daemon returns the name of the daemon that a process is or descends from; "" for none.
// It is looked up in names, by the number of the daemon's process.
func Daemon(pid int, stats map[int]procfs.ProcStat, names map[int]string) string {
	for pid > 1 {
		if name, ok := names[pid]; ok {
			return name
		}
		pid = stats[pid].PPID
	}
	return ""
}

// Kill ends a process as the kernel does that lacks memory, and waits until it has ended.
func Kill(ctx context.Context, pid int) error {
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return err
	}
	for {
		p, err := procfs.NewProc(pid)
		if err != nil {
			return nil
		}
		if stat, err := p.Stat(); err != nil || stat.State == "Z" {
			return nil
		}
		if err := Sleep(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}
