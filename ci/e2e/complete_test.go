package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"dagger.io/dagger"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/release"
	"github.com/tagline-ci/tagline/pipelines/smoke"
	"github.com/tagline-ci/tagline/pipelines/source"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// built builds ioc-axis and what it is built on from a site's tree.
func built(t *testing.T, s *site, environ []string) (*dagger.Client, *image.Image) {
	t.Helper()
	client := engine(t)
	repo, err := tree.Open(s.dir)
	require.NoError(t, err)
	mirrors, err := source.ParseMirrors(strings.Split(strings.TrimPrefix(environ[0], "TAGLINE_MIRRORS="), ","))
	require.NoError(t, err)
	img, err := release.Builder{Client: client, Mirrors: mirrors}.Image(t.Context(), repo, "HEAD", "ioc-axis")
	require.NoError(t, err)
	return client, img
}

// TestRuntimeImageIsComplete takes away from the runtime image what the IOC
// opens, one file at a time: each is missed, and its owner named.
func TestRuntimeImageIsComplete(t *testing.T) {
	s, environ := newHierarchy(t)
	client, img := built(t, s, environ)
	script, err := os.ReadFile(filepath.Join(s.dir, "generic-iocs/ioc-axis/smoke/st.cmd"))
	require.NoError(t, err)
	alone := strings.Replace(string(script), "tableDevice", "# no device stands beside it: ", 1)
	subject := smoke.Subject{
		Name: "ioc-axis", File: "generic-iocs/ioc-axis/image.yaml", User: "1000:1000", Grace: 30,
		Runtime: img.Runtime, Clients: img.Developer, Config: map[string][]byte{"st.cmd": []byte(alone)},
	}
	tester := smoke.Tester{Client: client}
	whole, err := tester.Complete(t.Context(), subject)
	require.NoError(t, err)
	require.True(t, whole.Passed, whole.Faults)

	for file, want := range map[string]string{
		"/usr/lib/x86_64-linux-gnu/libyaml-0.so.2":      "generic-iocs/ioc-axis/image.yaml: ioc-axis opens /lib/x86_64-linux-gnu/libyaml-0.so.2 of the Debian package libyaml-0-2, which is not in the runtime image; add libyaml-0-2 to packages.run",
		"/epics/support/table/data/table.txt":           "generic-iocs/support/table.yaml: ioc-axis opens /epics/support/table/data/table.txt of the support module table, which is not in the runtime image; add data/table.txt to files",
		"/epics/support/raw/lib/linux-x86_64/libraw.so": "generic-iocs/support/raw.yaml: ioc-axis opens /epics/support/raw/lib/linux-x86_64/libraw.so of the support module raw, which is not in the runtime image; add lib/linux-x86_64/libraw.so to files",
		"/epics/support/axis/db/axis.db":                "generic-iocs/support/axis.yaml: ioc-axis opens /epics/support/axis/db/axis.db of the support module axis, which is not in the runtime image; add db/axis.db to files",
		"/epics/ioc/dbd/ioc.dbd":                        "generic-iocs/ioc-axis/image.yaml: ioc-axis opens /epics/ioc/dbd/ioc.dbd, which is not in the runtime image; it is of ioc",
	} {
		less := subject
		less.Runtime = img.Runtime.WithoutFile(file)
		test, err := tester.Complete(t.Context(), less)
		require.NoError(t, err)
		require.False(t, test.Passed, "%s is not missed", file)
		require.Equal(t, []string{want}, test.Faults)
	}
}

// TestCheckNamesTheModuleOfAMissingFile leaves a file out of a module's recipe
// that the IOC reads when it starts.
func TestCheckNamesTheModuleOfAMissingFile(t *testing.T) {
	s, environ := newHierarchy(t)
	s.edit("generic-iocs/support/table.yaml", "files: [data]\n", "")
	s.commit()
	r := runEnv(t, s.dir, environ, "check", "--in-tree", "ioc-axis/1.0.1")
	require.Equal(t, 2, r.status, r.err)
	require.Contains(
		t, r.err,
		"generic-iocs/ioc-axis/smoke/st.cmd:3: ERROR tableLoad /epics/support/table/data/table.txt: No such file or directory",
	)
	require.Contains(
		t, r.err,
		"generic-iocs/support/table.yaml: ioc-axis opens /epics/support/table/data/table.txt of the support module table, which is not in the runtime image; add data/table.txt to files",
	)
}
