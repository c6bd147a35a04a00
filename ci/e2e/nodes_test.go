package e2e

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/procfs"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	standin "github.com/tagline-ci/tagline/ci/local/cluster"
	"github.com/tagline-ci/tagline/ci/local/state"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/layout"
	shown "github.com/tagline-ci/tagline/pipelines/status"
)

// TestANodeThatFails kills the node of three of four IOCs, one of which was not ready. The
// beamline is promoted and rolled back without them, and one of them is moved to the node
// that is left, once a person says that this is safe. When the node is back, the IOCs that
// stayed its own are started, and no other.
func TestANodeThatFails(t *testing.T) {
	s, reg := newSite(t, "bl83t"), registry(t)
	s.images(reg)
	s.another("03", "STAGE-04")
	s.another("04", "STAGE-05")
	for _, n := range []string{"01", "02", "04"} {
		values := s.instance(n, "values.yaml")
		s.edit(values, "image:", "tolerations: [{key: "+standin.SecondTaint+", operator: Exists}]\nimage:")
	}
	s.commit("bl83t/1.0.0")
	for _, n := range []string{"02", "04"} {
		s.edit(s.instance(n, "config/st.cmd"), "iocInit", "iocInit\n# changed")
	}
	s.commit("bl83t/1.0.1")
	ok(t, s.dir, "release", "bl83t/1.0.0", "--registry", reg)
	ok(t, s.dir, "promote", "bl83t", "1.0.0", "--registry", reg)
	t.Cleanup(func() { remove(t, "bl83t") })
	node := secondNode(t)
	ok(t, s.dir, "move", "bl83t", "bl83t-mo-ioc-01", "bl83t-mo-ioc-02", "bl83t-mo-ioc-04",
		"--node", standin.SecondName, "--reason", "x")
	before := status(t, s, "bl83t").Instances
	const first, second = standin.FirstName, standin.SecondName
	require.Equal(t, []string{second, second, first, second}, nodesOf(before))
	require.Equal(t, 3, iocsOnSecond(t, "BL83T"))
	s.spoil("bl83t-mo-ioc-04")
	s.until(func(iocs []shown.IOC) bool { return !iocs[3].Ready && strings.Contains(iocs[3].Doing, "Image") })

	require.NoError(t, node.Kill())
	ok(t, s.dir, "release", "bl83t/1.0.1", "--registry", reg) // while the cluster finds out
	const gone = "node " + standin.SecondName + " is gone"
	s.until(func(iocs []shown.IOC) bool {
		return !iocs[0].Ready && !slices.ContainsFunc([]int{0, 1, 3}, func(i int) bool {
			return !strings.HasPrefix(iocs[i].Doing, gone)
		})
	})
	require.Contains(t, ok(t, s.dir, "status", "bl83t"), "\nbl83t-mo-ioc-01: "+gone)
	for _, change := range [][]string{{"promote", "bl83t", "1.0.1", "--registry", reg}, {"rollback", "bl83t"}} {
		said := ok(t, s.dir, change...)
		for _, n := range []string{"02", "04"} {
			require.Regexp(t, `bl83t-mo-ioc-`+n+` +unchanged +not ready, and was not before: `+gone, said)
		}
	}

	move := []string{"move", "bl83t", "bl83t-mo-ioc-02", "--node", standin.FirstName, "--reason", "x"}
	r := run(t, s.dir, move...)
	require.Equal(t, 3, r.status, r.err)
	require.Contains(t, r.err, "--node-is-off")
	ok(t, s.dir, append(move, "--node-is-off")...)
	const pv = "BL83T-MO-IOC-02:HEARTBEAT"
	require.Regexp(t, `(?m)^`+pv+` .* bl83t-mo-ioc-02 .*\d`, ok(t, s.dir, "find", pv))

	require.NoError(t, node.Start(t.Context()))
	after := s.until(func(iocs []shown.IOC) bool {
		return iocs[0].Ready && iocs[1].Ready && iocs[2].Ready && iocs[3].Ready
	})
	require.Equal(t, []string{second, first, first, second}, nodesOf(after.Instances))
	for _, untouched := range []int{0, 2} {
		require.Equal(t, before[untouched].UID, after.Instances[untouched].UID)
	}
	require.Empty(t, after.Strays)
	require.Equal(t, 2, iocsOnSecond(t, "BL83T"), "an IOC runs twice")
}

// until waits until something holds of the beamline's IOCs, and returns its status.
func (s *site) until(holds func([]shown.IOC) bool) shown.Status {
	s.t.Helper()
	for end := time.Now().Add(3 * time.Minute); ; time.Sleep(2 * time.Second) {
		st := status(s.t, s, s.line)
		if holds(st.Instances) {
			return st
		}
		require.True(s.t, time.Now().Before(end), "it takes too long")
	}
}

// another adds an IOC like the second one, of a stage of its own.
func (s *site) another(number, stage string) {
	s.t.Helper()
	for _, file := range []string{"values.yaml", "config/st.cmd", "config/stages.substitutions"} {
		text, err := os.ReadFile(s.dir + "/" + s.instance("02", file))
		require.NoError(s.t, err)
		swap := strings.NewReplacer("IOC-02", "IOC-"+number, "STAGE-03", stage)
		s.write(s.instance(number, file), swap.Replace(string(text)))
	}
}

// spoil gives an IOC, by hand, an image that no registry has.
func (s *site) spoil(ioc string) {
	s.t.Helper()
	n, err := cluster.Open(cluster.Access{Kubeconfig: env.Kubeconfig}, s.line, s.line)
	require.NoError(s.t, err)
	image := env.Registry + "/nothing@sha256:" + strings.Repeat("0", 64)
	patch := `[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"` + image + `"}]`
	_, err = n.Client.AppsV1().Deployments(s.line).Patch(
		s.t.Context(), ioc, types.JSONPatchType, []byte(patch), metav1.PatchOptions{},
	)
	require.NoError(s.t, err)
}

// secondNode adds a node to the cluster. The test ends with a machine that has nothing
// of it, whether it was killed or not.
func secondNode(t *testing.T) standin.SecondNode {
	t.Helper()
	dir, err := state.FromEnvironment(os.Getenv)
	require.NoError(t, err)
	node := standin.SecondNode{State: dir, Self: []string{tagline, "serve"}, Registry: env.Registry}
	t.Cleanup(func() {
		require.NoError(t, node.Remove(context.Background()))
		left := slices.DeleteFunc(machine(), func(line string) bool {
			return !slices.ContainsFunc([]string{standin.SecondName, "tagline-2", "kube/second"}, func(of string) bool {
				return strings.Contains(line, of)
			})
		})
		require.Empty(t, left)
	})
	require.NoError(t, node.Start(t.Context()))
	return node
}

func nodesOf(iocs []shown.IOC) (all []string) {
	for _, ioc := range iocs {
		all = append(all, ioc.Node)
	}
	return all
}

// iocsOnSecond counts the IOCs that run on the second node and whose script names PVs
// that begin so, whatever the cluster says.
func iocsOnSecond(t *testing.T, pvs string) (count int) {
	t.Helper()
	all, err := procfs.AllProcs()
	require.NoError(t, err)
	for _, p := range all {
		line, err := p.CmdLine()
		if err != nil || len(line) == 0 || line[0] != "/epics/ioc/ioc" {
			continue
		}
		groups, err := p.Cgroups()
		second := func(g procfs.Cgroup) bool { return strings.Contains(g.Path, "/tagline-2/") }
		script, _ := os.ReadFile(fmt.Sprintf("/proc/%d/root%s/st.cmd", p.PID, layout.Config)) // it may have ended
		if err == nil && slices.ContainsFunc(groups, second) && strings.Contains(string(script), pvs) {
			count++
		}
	}
	return count
}
