package e2e

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/record"
)

// TestHierarchy releases EPICS Base, essential modules on it, and a generic IOC
// on those: a chain, a diamond, a submodule with a relative URL, a module that
// reads a file, and one that is linked with a library of a Debian package.
func TestHierarchy(t *testing.T) {
	s, environ := newHierarchy(t)
	reg := registry(t)
	s.images(reg)
	s.tag("essential/1.0.0", "ioc-axis/1.0.0")
	require.Regexp(t, `(?m)^ +vendor/fir: [0-9a-f]{40}$`, readFile(t, s, "generic-iocs/ioc-axis/image.lock.yaml"), "a submodule is not pinned")
	var rec record.Record
	for _, tag := range []string{"essential/1.0.0", "ioc-axis/1.0.0"} {
		r := runEnv(t, s.dir, environ, "release", tag, "--registry", reg, "--output", "json")
		require.Equal(t, 0, r.status, r.err)
		require.NoError(t, json.Unmarshal([]byte(r.out), &rec))
	}
	require.Len(t, rec.Artifacts, 2)
	developer, runtime := files(t, rec.Artifacts[0].Ref), files(t, rec.Artifacts[1].Ref)
	for _, must := range []string{
		"epics/support/scale/lib/linux-x86_64/libscale.so", "epics/support/limit/lib/linux-x86_64/liblimit.so",
		"epics/support/axis/db/axis.db", "epics/support/table/data/table.txt", "usr/lib/x86_64-linux-gnu/libyaml-0.so.2",
	} {
		require.Contains(t, runtime, must)
		require.Contains(t, developer, must)
	}
	require.Contains(t, developer, "epics/support/mean/vendor/fir/fir.c")
	require.NotContains(t, runtime, "epics/support/mean/vendor/fir/fir.c")
}
