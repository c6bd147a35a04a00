package e2e

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestNobodyGetsPastTheGate tries to promote to a beamline whose policy wants
// signed releases and an approval, by each way around it. Each is refused with
// exit status 3, and nothing is deployed.
func TestNobodyGetsPastTheGate(t *testing.T) {
	s, reg := newSite(t, "bl89t"), ownRegistry()
	t.Cleanup(func() { remove(t, "bl89t") })
	dir := t.TempDir()
	key := func(name string) string {
		file := filepath.Join(dir, name)
		ok(t, s.dir, "key", file)
		return file
	}
	site, ajp, mallory := key("site"), key("ajp"), key("mallory")
	refused := func(says string, args ...string) {
		t.Helper()
		r := run(t, s.dir, append(args, "--registry", reg)...)
		require.Equal(t, 3, r.status, r.err)
		require.Contains(t, r.err, says)
	}
	ok(t, s.dir, "policy", "init", "bl89t", "--key", site+".pub", "--approver", "ajp="+ajp+".pub")

	s.commit("bl89t/1.0.0")
	s.edit("beamlines/bl89t/beamline.yaml", "namespace:", "# no gate\nnamespace:")
	s.commit("bl89t/1.0.1", "bl89t/1.0.2")
	for _, tag := range []string{"epics-base/7.0.8.1r1.0", "ioc-simstage/1.0.0", "bl89t/1.0.0"} {
		ok(t, s.dir, "release", tag, "--registry", reg, "--key", site)
	}
	ok(t, s.dir, "release", "bl89t/1.0.1", "--registry", reg)
	refused("no trusted signer signed its", "release", "bl89t/1.0.2", "--key", mallory) // what it runs
	trusts := filepath.Join(dir, "trusts.yaml")
	require.NoError(t, os.WriteFile(trusts, []byte(ok(t, s.dir, "policy", "show", "bl89t")), 0o600))
	ok(t, s.dir, "release", "bl89t/1.0.2", "--registry", reg, "--key", mallory, "--policy", trusts)
	refused("no trusted signer signed its", "release", "bl89t/1.0.2", "--key", site) // his was there first

	refused("it has no signed", "promote", "bl89t", "1.0.1")
	refused("no trusted signer signed", "promote", "bl89t", "1.0.2")
	refused("it has 0 of 1 approvals", "promote", "bl89t", "1.0.0")
	ok(t, s.dir, "approve", "bl89t", "1.0.0", "--registry", reg, "--key", mallory)
	refused("no approver of the policy", "promote", "bl89t", "1.0.0")
	refused("it has 0 of 1 approvals", "promote", "bl89t", "1.0.0", "--override", "in a hurry", "--key", ajp)
	r := run(t, s.dir, "promote", "bl89t", "1.0.0", "--registry", reg, "--approved-by", "ajp")
	require.Equal(t, 2, r.status, "who approved is nothing to type: %s", r.err)

	ok(t, s.dir, "approve", "bl89t", "1.0.0", "--registry", reg, "--key", ajp)
	ok(t, s.dir, "gate", "bl89t", "1.0.0", "--registry", reg)
	ok(t, s.dir, "promote", "bl89t", "1.0.0", "--registry", reg)
	require.Equal(t, "1.0.0", status(t, s, "bl89t").Version)

	// What ran there is asked about too.
	held := filepath.Join(dir, "policy.yaml")
	text := ok(t, s.dir, "policy", "show", "bl89t") + "holds:\n  - {why: vacuum work}\noverride: [ajp]\n"
	require.NoError(t, os.WriteFile(held, []byte(text), 0o600))
	ok(t, s.dir, "policy", "apply", "bl89t", held)
	refused("rolling back to bl89t 1.0.0: the beamline is on hold: vacuum work", "rollback", "bl89t", "1.0.0")
	refused("vacuum work", "rollback", "bl89t", "1.0.0", "--override", "in a hurry", "--key", mallory)
	ok(t, s.dir, "rollback", "bl89t", "1.0.0", "--registry", reg, "--override", "the pump is back", "--key", ajp)

	// Another kubeconfig is not that of tagline up: no policy is made for it.
	config, err := os.ReadFile(env.Kubeconfig)
	require.NoError(t, err)
	other := filepath.Join(dir, "kubeconfig")
	require.NoError(t, os.WriteFile(other, config, 0o600))
	refused("nothing is promoted without one", "promote", "bl88t", "1.0.0", "--kubeconfig", other)
}
