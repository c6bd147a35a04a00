package promote_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/gate"
	"github.com/tagline-ci/tagline/pipelines/promote"
)

// benched is how many IOCs a beamline has whose start-up scripts all change.
const benched = 30

// BenchmarkPromotion changes every IOC of a beamline, and waits for all: as a promotion,
// and as a loop of the stock helm's upgrades that each wait for their IOC.
func BenchmarkPromotion(b *testing.B) {
	b.Run("tagline", func(b *testing.B) {
		w := newWorld(b)
		next := w.changes()
		_, err := promote.Run(b.Context(), w.deps(), next())
		require.NoError(b, err)
		for b.Loop() {
			b.StopTimer()
			pass := next()
			b.StartTimer()
			_, err := promote.Run(b.Context(), w.deps(), pass)
			require.NoError(b, err)
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/benched, "s/IOC")
	})
	b.Run("helm upgrade --wait", func(b *testing.B) {
		w := newWorld(b)
		bin, err := exec.Command("go", "tool", "-C", "../chart/testdata/helm", "-n", "helm").Output()
		require.NoError(b, err)
		upgrade := func(name, file string) {
			cmd := exec.Command(strings.TrimSpace(string(bin)), "upgrade", "--install", "--create-namespace", "--wait",
				"--namespace", w.namespace, name, file)
			cmd.Env = append(os.Environ(), "HOME="+b.TempDir(), "KUBECONFIG="+w.access().Kubeconfig)
			out, err := cmd.CombinedOutput()
			require.NoError(b, err, "%s", out)
		}
		next := w.changes()
		all := func(pass gate.Pass) {
			for name, file := range w.files(pass) {
				upgrade(name, file)
			}
		}
		all(next())
		for b.Loop() {
			b.StopTimer()
			pass := next()
			b.StartTimer()
			all(pass)
		}
		b.ReportMetric(b.Elapsed().Seconds()/float64(b.N)/benched, "s/IOC")
	})
}

// changes returns a function whose every call releases the beamline with start-up scripts
// that no release had.
func (w *world) changes() func() gate.Pass {
	n := 0
	return func() gate.Pass {
		n++
		scripts := map[string]string{}
		for i := range benched {
			scripts[fmt.Sprintf("ioc-%02d", i)] = fmt.Sprintf("# change %d\n", n) + answers
		}
		return w.release(fmt.Sprintf("2026.1.%d", n), scripts)
	}
}

// files writes the charts of a release into a folder, and returns the files by instance.
func (w *world) files(pass gate.Pass) map[string]string {
	dir, files := w.t.TempDir(), map[string]string{}
	for _, inst := range pass.Record().Instances {
		archive, err := w.registry.Chart(w.t.Context(), inst.Chart)
		require.NoError(w.t, err)
		files[inst.Name] = filepath.Join(dir, inst.Name+".tgz")
		require.NoError(w.t, os.WriteFile(files[inst.Name], archive, 0o600))
	}
	return files
}
