package e2e

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestASignedReleaseIsVerified signs a whole chain and checks it from the
// beamline's record down to each blob; another key does not pass.
func TestASignedReleaseIsVerified(t *testing.T) {
	s, reg := newSite(t, "bl92t"), registry(t)+"/signed"
	key, other := filepath.Join(t.TempDir(), "release.key"), filepath.Join(t.TempDir(), "other.key")
	for _, file := range []string{key, other} {
		require.Equal(t, 0, runEnv(t, s.dir, []string{"TAGLINE_KEY_PASSWORD=of-a-test"}, "key", file).status)
	}
	s.commit("bl92t/1.0.0")
	for _, tag := range []string{"epics-base/7.0.8.1r1.0", "ioc-simstage/1.0.0", "bl92t/1.0.0"} {
		r := runEnv(t, s.dir, []string{"TAGLINE_KEY_PASSWORD=of-a-test"}, "release", tag, "--registry", reg, "--key", key)
		require.Equal(t, 0, r.status, r.err)
		require.NotContains(t, r.out+r.err, "of-a-test")
	}
	ok(t, s.dir, "verify", "bl92t/1.0.0", "--registry", reg, "--key", key+".pub")
	r := run(t, s.dir, "verify", "bl92t/1.0.0", "--registry", reg, "--key", other+".pub")
	require.Equal(t, 3, r.status, r.err)
}
