package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestAPromotionIsWatched promotes a release that stays well, which is verified, and
// one whose IOC gets ready and goes into alarm when it has counted to ten: it is put
// back. Then it rolls back, which is watched too.
func TestAPromotionIsWatched(t *testing.T) {
	s, reg := newSite(t, "bl86t"), registry(t)
	s.images(reg)
	s.commit("bl86t/1.0.0")
	script := s.instance("02", "config/st.cmd")
	s.edit(script, "iocInit", "iocInit\n# changed")
	s.commit("bl86t/1.0.1")
	s.edit(script, "iocInit\n", "iocInit\n"+
		"dbpf \"BL86T-MO-IOC-02:HEARTBEAT.HIHI\" \"10\"\n"+
		"dbpf \"BL86T-MO-IOC-02:HEARTBEAT.HHSV\" \"MAJOR\"\n")
	s.commit("bl86t/1.0.2")
	for _, tag := range []string{"bl86t/1.0.0", "bl86t/1.0.1", "bl86t/1.0.2"} {
		ok(t, s.dir, "release", tag, "--registry", reg)
	}
	ok(t, s.dir, "policy", "init", "bl86t")
	t.Cleanup(func() { remove(t, "bl86t") })
	require.NotContains(t, ok(t, s.dir, "promote", "bl86t", "1.0.0", "--registry", reg), "verified")

	policy := filepath.Join(t.TempDir(), "policy.yaml")
	require.NoError(t, os.WriteFile(policy, []byte(ok(t, s.dir, "policy", "show", "bl86t")+
		"verify:\n  for: 15s\n  pvs: [BL86T-MO-IOC-02:HEARTBEAT]\n"), 0o600))
	ok(t, s.dir, "policy", "apply", "bl86t", policy)
	require.Contains(t, ok(t, s.dir, "promote", "bl86t", "1.0.1", "--registry", reg), "\nverified 15s\n")
	before := status(t, s, "bl86t")
	require.Equal(t, "1.0.1", before.Version)

	r := run(t, s.dir, "promote", "bl86t", "1.0.2", "--registry", reg)
	require.Equal(t, 4, r.status, r.err)
	require.Contains(
		t, r.err, "the alarm severity of BL86T-MO-IOC-02:HEARTBEAT is MAJOR, and was NO_ALARM before",
	)
	after := status(t, s, "bl86t")
	require.Equal(t, "1.0.1", after.Version)
	require.Equal(t, before.Instances[0].UID, after.Instances[0].UID, "an IOC that did not change was restarted")
	require.True(t, after.Instances[1].Ready)
	require.Contains(t, ok(t, s.dir, "rollback", "bl86t"), "\nverified 15s\n", "a rollback is watched too")
	require.Equal(t, "1.0.0", status(t, s, "bl86t").Version)
	require.Regexp(t, `rollback +1\.0\.0 from 1\.0\.1 .* verified 15s\n`+
		`.*promote +1\.0\.2 from 1\.0\.1 .* is MAJOR.*\n.*promote +1\.0\.1 .* verified 15s\n`,
		ok(t, s.dir, "history", "bl86t"))
}
