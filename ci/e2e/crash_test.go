package e2e

import (
	"regexp"
	"strings"
	"testing"

	"dagger.io/dagger"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/layout"
)

var frame = regexp.MustCompile(`(?m)^  (/\S+) (0x[0-9a-f]+) build-id ([0-9a-f]{40})$`)

// TestCrashIsResolved crashes an IOC of the runtime image, which has no symbols,
// and reads its backtrace with the developer image: the files are the same by
// their build ids, and the places have functions and lines.
func TestCrashIsResolved(t *testing.T) {
	s, environ := newHierarchy(t)
	_, img := built(t, s, environ)
	const script = "dbLoadDatabase \"/epics/ioc/dbd/ioc.dbd\"\nioc_registerRecordDeviceDriver(pdbbase)\niocInit\n" +
		"crash\n"
	log := output(t, img.Runtime.WithNewFile(layout.Config+"/st.cmd", script), "sh", "-c", `/epics/ioc/ioc st.cmd 2>&1; echo "exit status $?"`)
	require.Contains(t, log, "exit status 139")
	require.Contains(t, log, "ioc: crashed in thread _main_: Segmentation fault")

	frames := frame.FindAllStringSubmatch(log, -1)
	require.NotEmpty(t, frames, log)
	require.Equal(t, "/epics/support/crash/lib/linux-x86_64/libcrash.so", frames[0][1], log)
	dev := img.Developer.WithDirectory("/runtime/epics", img.Runtime.Directory("/epics"))
	var lines strings.Builder
	for _, f := range frames {
		if !strings.HasPrefix(f[1], "/epics/") {
			continue
		}
		require.Contains(t, output(t, dev, "readelf", "-n", f[1]), "Build ID: "+f[3])
		sections := output(t, dev, "readelf", "-SW", "/runtime"+f[1])
		require.NotContains(t, sections, ".debug_info")
		require.NotContains(t, sections, ".symtab")
		lines.WriteString(output(t, dev, "addr2line", "-Cfipe", f[1], f[2]))
	}
	t.Log(log, lines.String())
	require.Regexp(t, `(?s)writeNowhere at .*crash\.c:7.*crash at .*crash\.c:15.*iocshBody at .*iocsh\.cpp:\d+.*main at .*main\.cpp:\d+`, lines.String())
}

// output runs a command in a container and returns what it prints.
func output(t *testing.T, c *dagger.Container, args ...string) string {
	t.Helper()
	out, err := c.WithExec(args).Stdout(t.Context())
	require.NoError(t, err)
	return out
}
