package fleet

import "github.com/prometheus/procfs"

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
