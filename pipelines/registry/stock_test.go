package registry

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/registry/registrytest"
)

// stockHelm returns the helm command, which must succeed and returns what it prints.
func stockHelm(t testing.TB) func(args ...string) string {
	t.Helper()
	helm := tryHelm(t)
	return func(args ...string) string {
		t.Helper()
		out, err := helm(args...)
		require.NoError(t, err, "helm %s\n%s", strings.Join(args, " "), out)
		return out
	}
}

// tryHelm returns the helm command, built from its own source and kept in Go's build
// cache, in an environment of its own.
func tryHelm(t testing.TB) func(args ...string) (string, error) {
	t.Helper()
	if testing.Short() {
		t.Skip("builds the helm command")
	}
	bin, err := exec.Command("go", "tool", "-C", "../chart/testdata/helm", "-n", "helm").Output()
	require.NoError(t, err)
	home := t.TempDir()
	return func(args ...string) (string, error) {
		cmd := exec.Command(strings.TrimSpace(string(bin)), args...)
		cmd.Env = append(
			os.Environ(),
			"HOME="+home,
			"HELM_CACHE_HOME="+home,
			"HELM_CONFIG_HOME="+home,
			"HELM_DATA_HOME="+home,
			"KUBECONFIG=/dev/null",
		)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
}

// Whoever overrides a value with helm alone is told of a key that there is not, with those
// there are, and of what a value can't be.
func TestStockHelmRefusesWhatIsNoValue(t *testing.T) {
	helm, file := tryHelm(t), filepath.Join(t.TempDir(), "bl01t-a.tgz")
	require.NoError(t, os.WriteFile(file, packaged(t, "bl01t-a", "iocInit\n"), 0o600))
	for set, says := range map[string]string{
		"hostNetwrok=true": "'network'", "pod.hostNetwork=true": "'hostNetwork'", "memory=much": "memory",
		"network=nowhere": "'cluster'",
	} {
		out, err := helm("template", "bl01t-a", file, "--set", set)
		require.Error(t, err, set)
		require.Contains(t, out, says)
	}
	_, err := helm("template", "bl01t-a", file, "--set", "memory=1Gi")
	require.NoError(t, err)
}

func TestStockHelmUsesWhatWasPublished(t *testing.T) {
	helm, host, dir := stockHelm(t), registrytest.Serve(t, nil), t.TempDir()
	r, image, tgz := open(t, host, Options{}), pushImage(t, host), packaged(t, "bl01t-a", "iocInit\n")
	_, _, err := release(t.Context(), r, image, tgz)
	require.NoError(t, err)
	from := []string{"oci://" + host + "/charts/bl01t-a", "--version", "2026.11.1", "--plain-http"}

	helm(append([]string{"pull", "--destination", dir}, from...)...)
	file := filepath.Join(dir, "bl01t-a-2026.11.1.tgz")
	pulled, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, tgz, pulled)
	require.Contains(t, helm("lint", "--strict", file), "0 chart(s) failed")
	require.Contains(t, helm("lint", "--strict", "../../charts/ioc-lib"), "0 chart(s) failed")
	require.Contains(t, helm(append([]string{"show", "values"}, from...)...), "probePV: BL01T:TIME")

	ours, err := chart.Render(tgz, "bl01t")
	require.NoError(t, err)
	theirs := helm(append([]string{"template", "bl01t-a", "--namespace", "bl01t"}, from...)...)
	_, theirs, _ = strings.Cut(theirs, "---\n") // Helm says first what it pulled
	require.Equal(t, documents(ours), documents(theirs))
}

// documents returns YAML documents without Helm's comments, by their kind.
func documents(text string) map[string]string {
	docs := map[string]string{}
	for _, doc := range strings.Split("\n"+text, "\n---\n") {
		var lines []string
		kind := ""
		for _, line := range strings.Split(doc, "\n") {
			if k, ok := strings.CutPrefix(line, "kind: "); ok {
				kind = k
			}
			if line != "" && !strings.HasPrefix(line, "# Source: ") && line != "---" {
				lines = append(lines, line)
			}
		}
		if kind != "" {
			docs[kind] = strings.Join(lines, "\n")
		}
	}
	return docs
}

// BenchmarkRelease packages, pushes and seals instance charts in one release,
// as Tagline does it and as a loop of the stock helm commands does. It tells
// the processor's time too, of the registry as well, which does not depend on
// what else the machine does.
func BenchmarkRelease(b *testing.B) {
	b.Run("tagline", func(b *testing.B) {
		timed(b, 1000, func(host string, charts int) {
			image := pushImage(b, host)
			_, _, err := release(b.Context(), open(b, host, Options{}), image, madeAll(b, charts)...)
			require.NoError(b, err)
		})
	})
	helm, dir := stockHelm(b), b.TempDir()
	push := func(host, folder, name string) {
		helm("package", folder, "--version", "2026.11.1", "--destination", dir)
		helm("push", "--plain-http", filepath.Join(dir, name+"-2026.11.1.tgz"), "oci://"+host+"/charts")
	}
	// The library chart is below charts/ already, as if somebody had put it there.
	b.Run("helm package and push", func(b *testing.B) {
		timed(b, 10, func(host string, charts int) {
			for i := range charts {
				name := fmt.Sprintf("bl01t-%04d", i)
				push(host, unpacked(b, dir, name), name)
			}
		})
	})
	// It is not, and the chart is looked at before, as Tagline does too.
	b.Run("helm dependency, lint, package and push", func(b *testing.B) {
		timed(b, 10, func(host string, charts int) {
			for i := range charts {
				name := fmt.Sprintf("bl01t-%04d", i)
				folder := unpacked(b, dir, name)
				depends(b, folder)
				helm("dependency", "update", "--skip-refresh", folder)
				helm("lint", "--strict", folder)
				push(host, folder, name)
			}
		})
	})
}

// depends takes the library chart out of a chart's folder, and lets the chart
// say where it is.
func depends(t testing.TB, folder string) {
	require.NoError(t, os.RemoveAll(filepath.Join(folder, "charts")))
	lib, err := filepath.Abs("../../charts/ioc-lib")
	require.NoError(t, err)
	file := filepath.Join(folder, "Chart.yaml")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(text), "repository: \"\"\n")
	require.NoError(
		t,
		os.WriteFile(
			file,
			[]byte(strings.Replace(string(text), "repository: \"\"\n", "repository: file://"+lib+"\n", 1)),
			0o644,
		),
	)
}

// timed reports what releasing so many charts took for each.
func timed(b *testing.B, charts int, work func(host string, charts int)) {
	began, cpu := time.Now(), processor(b)
	n := 0
	for b.Loop() {
		work(registrytest.Serve(b, nil), charts)
		n += charts
	}
	b.ReportMetric(time.Since(began).Seconds()*1e3/float64(n), "ms/chart")
	b.ReportMetric((processor(b)-cpu).Seconds()*1e3/float64(n), "cpu-ms/chart")
}

// processor returns the processor's time that we and our children took.
func processor(b *testing.B) (sum time.Duration) {
	for _, who := range []int{syscall.RUSAGE_SELF, syscall.RUSAGE_CHILDREN} {
		var r syscall.Rusage
		require.NoError(b, syscall.Getrusage(who, &r))
		sum += time.Duration(r.Utime.Nano() + r.Stime.Nano())
	}
	return sum
}

// madeAll packages charts, several at once.
func madeAll(t testing.TB, n int) [][]byte {
	tgzs := make([][]byte, n)
	var g errgroup.Group
	g.SetLimit(jobs)
	for i := range tgzs {
		g.Go(func() error {
			tgzs[i] = made(t, fmt.Sprintf("bl01t-%04d", i))
			return nil
		})
	}
	require.NoError(t, g.Wait())
	return tgzs
}

// made packages the chart of an instance.
func made(t testing.TB, name string) []byte {
	pin, err := asset.ParsePin("ioc-simstage 1.0.0")
	require.NoError(t, err)
	inst := &beamline.Instance{
		Name:   name,
		Image:  pin,
		Values: beamline.Values{ProbePV: "BL01T:TIME"},
		Config: map[string][]byte{"st.cmd": []byte("iocInit\n")},
	}
	tgz, err := library().Package(
		&beamline.Beamline{Name: "bl01t"}, inst, "127.0.0.1:5000/x@sha256:"+strings.Repeat("ab", 32), "2026.11.1",
	)
	require.NoError(t, err)
	return tgz
}

// unpacked returns the folder of an instance's chart, as helm packages it.
func unpacked(t testing.TB, dir, name string) string {
	tree := filepath.Join(dir, name)
	require.NoError(t, os.MkdirAll(tree, 0o755))
	cmd := exec.Command("tar", "-xz", "-C", dir)
	cmd.Stdin = strings.NewReader(string(made(t, name)))
	require.NoError(t, cmd.Run())
	return tree
}
