package attest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/registry/registrytest"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// cosign runs the cosign command, built from its own source and kept in Go's
// build cache.
func cosign(t testing.TB, args ...string) (string, error) {
	build := exec.Command("go", "tool", "-C", "testdata/cosign", "-n", "cosign")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	bin, err := build.Output()
	require.NoError(t, err)
	cmd := exec.Command(strings.TrimSpace(string(bin)), args...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// cosignChecks lets cosign look at each kind of statement of a release. as names
// who signed the release of a tag; other, which goes over it, somebody else.
func cosignChecks(t *testing.T, s *site, as func(tag string) []string, other ...string) {
	t.Helper()
	image, sealed := string(s.ioc.Artifacts[1].Pinned()), s.host+"/records/bl01t:2026.11.1"
	for _, c := range []struct{ kind, ref, tag string }{
		{sign.SBOM, image, s.ioc.Tag.String()}, {sign.Provenance, image, s.ioc.Tag.String()},
		{sign.Release, sealed, s.bl.Tag.String()},
	} {
		line := append([]string{"verify-attestation", c.ref, "--type", c.kind, "--allow-http-registry"}, as(c.tag)...)
		out, err := cosign(t, line...)
		require.NoError(t, err, "%s: %s", c.kind, out)
		out, err = cosign(t, append(line, other...)...)
		require.Error(t, err, "%s: %s", c.kind, out)
	}
}

// TestCosignChecksWhatAKeySigned uses cosign as docs/signing.md says.
func TestCosignChecksWhatAKeySigned(t *testing.T) {
	if testing.Short() {
		t.Skip("builds cosign")
	}
	dir, keys := t.TempDir(), map[string]*sign.Key{}
	for _, file := range []string{"ours.pub", "other.pub"} {
		private, public, err := sign.NewKey(nil)
		require.NoError(t, err)
		keys[file], err = sign.ReadKey(private, nil)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(dir, file), public, 0o644))
	}
	s := fillBy(t, registrytest.Serve(t, nil), func(string) sign.Signer { return keys["ours.pub"] })
	cosignChecks(t, s, func(string) []string {
		return []string{"--insecure-ignore-tlog", "--key", filepath.Join(dir, "ours.pub")}
	}, "--key", filepath.Join(dir, "other.pub"))

	// What is made from a release has a signature, as cosign sign makes it, and Flux asks
	// cosign's library for it.
	made := s.push(t, "manifests/bl01t", "", "", "2026.11.1").Pinned()
	verify := []string{"verify", string(made), "--allow-http-registry", "--insecure-ignore-tlog", "--key"}
	out, err := cosign(t, append(verify, filepath.Join(dir, "ours.pub"))...)
	require.Error(t, err, out)
	signer := Signer{Registry: s.reg, By: keys["ours.pub"]}
	require.NoError(t, signer.Derived(t.Context(), made, s.bl.Tag))
	out, err = cosign(t, append(verify, filepath.Join(dir, "ours.pub"))...)
	require.NoError(t, err, out)
	out, err = cosign(t, append(verify, filepath.Join(dir, "other.pub"))...)
	require.Error(t, err, out)
}
