package fleet

import (
	"os/exec"
	"testing"

	"github.com/prometheus/procfs"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProcessesBelongToTheirDaemon(t *testing.T) {
	stats := map[int]procfs.ProcStat{10: {PPID: 1}, 11: {PPID: 10}, 12: {PPID: 11}, 20: {PPID: 1}, 30: {PPID: 29}}
	names := map[int]string{10: "kube-node"}
	for pid, want := range map[int]string{10: "kube-node", 11: "kube-node", 12: "kube-node", 20: "", 30: "", 1: ""} {
		assert.Equal(t, want, Daemon(pid, stats, names), pid)
	}
}

func TestKillWaitsForTheEnd(t *testing.T) {
	cmd := exec.Command("sleep", "600")
	require.NoError(t, cmd.Start())
	require.NoError(t, Kill(t.Context(), cmd.Process.Pid))
	p, err := procfs.NewProc(cmd.Process.Pid)
	require.NoError(t, err, "its parent was not told yet")
	stat, err := p.Stat()
	require.NoError(t, err)
	assert.Equal(t, "Z", stat.State)
	require.Error(t, cmd.Wait())
	assert.Error(t, Kill(t.Context(), cmd.Process.Pid))
}
