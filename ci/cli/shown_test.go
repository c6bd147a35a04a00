package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/local"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// What moved is shown with what is locked and what its name stands for now.
func TestWriteDrifts(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, writeDrifts(&b, nil))
	require.Equal(t, "every pin is what its name stands for, and nothing is newer\n", b.String())
	b.Reset()
	require.NoError(t, writeDrifts(&b, []lockfile.Drift{
		{Image: "ioc-a", Pin: "package gdb", Locked: "13.1-3", Now: "13.1-4"},
		{Image: "ioc-a", Pin: "base image", Locked: strings.Repeat("a", 71), Now: "b"},
	}))
	require.Equal(t, "ASSET  PIN          LOCKED"+strings.Repeat(" ", 56)+"NOW\n"+
		"ioc-a  package gdb  13.1-3"+strings.Repeat(" ", 56)+"13.1-4\n"+
		"ioc-a  base image   "+strings.Repeat("a", 60)+"  b\n", b.String())
}

// What tagline up chose is shown with the reason.
func TestWriteParts(t *testing.T) {
	var b bytes.Buffer
	require.NoError(t, writeParts(&b, local.Env{Parts: []local.Part{
		{Part: "engine", Choice: "stand-in", Why: "no Docker daemon answers", Address: "unix:///e"},
		{Part: "base image", Choice: "Docker Hub", Why: "it answers", Address: "docker.io/library/debian"},
	}}))
	require.Equal(t, `PART        CHOICE      WHERE                     WHY
engine      stand-in    unix:///e                 no Docker daemon answers
base image  Docker Hub  docker.io/library/debian  it answers
`, b.String())
}

// The size of each target is that of all it consists of, of which the small parts are not
// named.
func TestWriteSizes(t *testing.T) {
	var b bytes.Buffer
	writeTests(&b, []record.Test{{Name: "sizes", Of: "ioc-a", Evidence: []string{"SIM:X = 1"}, Notes: []string{"late"},
		Sizes: []record.Size{
			{Target: "developer", Owner: "debian", Bytes: 300e6}, {Target: "developer", Owner: "asyn", Bytes: 2e6},
			{Target: "runtime", Owner: "debian", Bytes: 80e6}, {Target: "runtime", Owner: "ioc", Bytes: 9e4},
		}}})
	require.Equal(t, "  sizes of ioc-a FAILED\n           SIM:X = 1\n           note: late\n"+
		"           developer    302.0 MB\n                300.0 MB of debian\n                  2.0 MB of asyn\n"+
		"           runtime       80.1 MB\n                 80.0 MB of debian\n", b.String())
}

// The demonstration ends with what it ran, which step failed, and where to look next; of
// the many commands of git it names only those that failed.
func TestTheSummaryOfTheDemonstration(t *testing.T) {
	var out bytes.Buffer
	d := &demo{app: &app{Streams: Streams{Out: &out}, env: func(string) string { return "" }}, start: time.Now()}
	d.took = []took{
		{"tagline up", 12 * time.Second, true}, {"git push", time.Second, true}, {"git clone", time.Second, false},
		{"tagline promote bl01t 2026.11.1", 61 * time.Second, false},
	}
	d.summary()
	require.Contains(t, out.String(), "✔  tagline up                       12s\n")
	require.Contains(t, out.String(), "✘  git clone                        1.0s\n")
	require.Contains(t, out.String(), "✘  tagline promote bl01t 2026.11.1  1m01s\n")
	require.NotContains(t, out.String(), "git push")
	require.NotContains(t, out.String(), "Where to look next", "nothing was begun")
	d.work = "/state/demo/1f0e"
	d.summary()
	require.Contains(t, out.String(), "  cd /state/demo/1f0e/bl01t && tagline record bl01t/2026.11.1\n")
	require.NotContains(t, out.String(), "unset TAGLINE_REGISTRY")
	d.env = func(string) string { return "some.registry.example.org" }
	d.summary()
	require.Contains(t, out.String(), "  unset TAGLINE_REGISTRY ")
}
