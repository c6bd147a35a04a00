package main

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/recipefile"
	"github.com/tagline-ci/tagline/pipelines/source"
)

// testBench is a bench whose site is written and read, and nothing built.
func testBench(t *testing.T) *bench {
	t.Helper()
	t.Chdir("../..") // the site is made of this repository's recipes
	mirrors, err := source.ParseMirrors([]string{"https://github.com/=http://10.87.0.1:5080/github.com/"})
	require.NoError(t, err)
	b := &bench{mirrors: mirrors, site: &site{dir: t.TempDir()}}
	require.NoError(t, b.site.make())
	require.NoError(t, b.site.root("10.87.0.1:5000/bench/debian:ours-1"))
	b.recipes, err = recipefile.Read(os.DirFS(b.site.dir))
	require.NoError(t, err, "what is measured must be a site without faults")
	return b
}

func TestTheSiteIsOneImageOnTheRoot(t *testing.T) {
	b := testBench(t)
	require.NotNil(t, b.recipes.Images[last])
	assert.Len(t, b.recipes.Images[last].Modules, len(modules))
	text, err := os.ReadFile(filepath.Join(b.site.dir, "generic-iocs", root, "image.yaml"))
	require.NoError(t, err)
	assert.Contains(t, string(text), "from: 10.87.0.1:5000/bench/debian:ours-1\n")
	for _, m := range modules {
		assert.DirExists(t, filepath.Join(b.site.dir, "modules", m.Name))
	}
	copied, err := os.ReadFile(filepath.Join(b.site.dir, leafSource))
	require.NoError(t, err)
	assert.NotContains(t, string(copied), "simMotion", "two modules with one symbol cannot be linked together")
}

func TestTheLeafThatChangesIsNeededByNoOther(t *testing.T) {
	for _, m := range modules {
		assert.NotContains(t, m.Needs, leaf)
	}
	b := testBench(t)
	require.NoError(t, b.site.commit("Lock the benchmark"))
	before, err := os.ReadFile(filepath.Join(b.site.dir, leafSource))
	require.NoError(t, err)
	require.NoError(t, b.site.changeLeaf())
	after, err := os.ReadFile(filepath.Join(b.site.dir, leafSource))
	require.NoError(t, err)
	assert.NotEqual(t, string(before), string(after))
	head, err := b.site.repo.Head()
	require.NoError(t, err)
	commit, err := b.site.repo.CommitObject(head.Hash())
	require.NoError(t, err)
	stats, err := commit.Stats()
	require.NoError(t, err)
	require.Len(t, stats, 1)
	assert.Equal(t, leafSource, stats[0].Name)
}

func TestTheDockerfileHasTheSameSteps(t *testing.T) {
	b := testBench(t)
	text, err := b.dockerfile("debian:linear")
	require.NoError(t, err)
	assert.Equal(t, 2, strings.Count(text, "FROM debian:linear AS "))
	assert.Contains(
		t, text, "http://10.87.0.1:5080/github.com/epics-base/epics-base", "through the mirrors, as Tagline",
	)
	assert.Contains(t, text, b.packages())
	assert.Contains(t, text, `RUN printf 'STAGEB = /epics/support/stageb\nSTAGEC = /epics/support/stagec\n`+
		`EPICS_BASE = /epics/epics-base\n' >/epics/support/stagef/configure/RELEASE.local`)
	place := -1
	for _, m := range modules {
		next := strings.Index(text, "COPY modules/"+m.Name+" /epics/support/"+m.Name+"\n")
		assert.Greater(t, next, place, "%s is built after what it needs", m.Name)
		place = next
	}
}

func TestThePlainScriptReadsItsModules(t *testing.T) {
	assert.Contains(t, moduleList(), "stagea \n")
	assert.Contains(t, moduleList(), "stagef stageb stagec\n")
	assert.Equal(t, len(modules), strings.Count(moduleList(), "\n"))
	out, err := exec.Command("bash", "-n", "plain.sh").CombinedOutput()
	assert.NoError(t, err, string(out))
	for _, name := range []string{"$PACKAGES", "$BASE_URL", "$BASE_REF", "/src/modules.list"} {
		assert.Contains(t, plainScript, name)
	}
}

func TestProcessorTime(t *testing.T) {
	assert.Equal(t, 372500*time.Millisecond, processorTime("warning: 3x\n360.25 12.25\n"))
	assert.Zero(t, processorTime(""))
}

func TestTheTableSaysWhatWasMissed(t *testing.T) {
	r := result{cold: 80 * time.Second, again: 6 * time.Second, leaf: 4 * time.Second, plain: 100 * time.Second,
		cpu: 180 * time.Second, linear: 100 * time.Second, linearLeaf: 10 * time.Second, developer: 500e6,
		runtime: 50e6}
	text := r.table("2 × a processor")
	assert.Contains(t, text, "on 2 × a processor.")
	assert.Contains(t, text, "| ≤ 0.55 | 0.80, missed | 80.0 s ÷ 100.0 s |")
	assert.Contains(t, text, "| ≤ 0.70 | 0.80, missed |")
	assert.Contains(t, text, "| ≤ 0.20 | 0.40, missed | 4.0 s ÷ 10.0 s |")
	assert.Contains(t, text, "| ≤ 0.12 | 0.10 | 50.0 MB ÷ 500.0 MB |")
	assert.Contains(t, text, "| ≤ 2 s | 6.0 s, missed | |")
	assert.Contains(t, text, "took 180 s of processor time")
}

func TestMarker(t *testing.T) {
	layer, err := marker("ours20261126")
	require.NoError(t, err)
	r := tar.NewReader(bytes.NewReader(layer))
	h, err := r.Next()
	require.NoError(t, err)
	assert.Equal(t, "etc/bench", h.Name)
	text, err := io.ReadAll(r)
	require.NoError(t, err)
	assert.Equal(t, "ours20261126", string(text))
}
