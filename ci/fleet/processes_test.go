package fleet

import (
	"testing"

	"github.com/prometheus/procfs"
	"github.com/stretchr/testify/assert"
)

func TestProcessesBelongToTheirDaemon(t *testing.T) {
	stats := map[int]procfs.ProcStat{10: {PPID: 1}, 11: {PPID: 10}, 12: {PPID: 11}, 20: {PPID: 1}, 30: {PPID: 29}}
	names := map[int]string{10: "kube-node"}
	for pid, want := range map[int]string{10: "kube-node", 11: "kube-node", 12: "kube-node", 20: "", 30: "", 1: ""} {
		assert.Equal(t, want, Daemon(pid, stats, names), pid)
	}
}
