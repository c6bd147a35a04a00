package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/sign/signtest"
)

// TestASignedReleaseIsVerified signs a whole chain and checks it from the
// beamline's record down to each blob; another key does not pass.
func TestASignedReleaseIsVerified(t *testing.T) {
	s, reg := newSite(t, "bl92t"), ownRegistry()
	key, other := filepath.Join(t.TempDir(), "release.key"), filepath.Join(t.TempDir(), "other.key")
	for _, file := range []string{key, other} {
		require.Equal(t, 0, runEnv(t, s.dir, []string{"TAGLINE_KEY_PASSWORD=of-a-test"}, "key", file).status)
	}
	s.commit("bl92t/1.0.0")
	for _, tag := range []string{"epics-base/7.0.8.1r1.0", "ioc-simstage/1.0.0", "bl92t/1.0.0"} {
		r := runEnv(
			t, s.dir, []string{"TAGLINE_KEY_PASSWORD=of-a-test"}, "release", tag, "--registry", reg, "--key", key,
		)
		require.Equal(t, 0, r.status, r.err)
		require.NotContains(t, r.out+r.err, "of-a-test")
	}
	ok(t, s.dir, "verify", "bl92t/1.0.0", "--registry", reg, "--key", key+".pub")
	r := run(t, s.dir, "verify", "bl92t/1.0.0", "--registry", reg, "--key", other+".pub")
	require.Equal(t, 3, r.status, r.err)
}

// TestAWorkflowSignsAChain releases each tag as a workflow of GitHub Actions
// does, without a key: images by the command, the beamline by dagger call.
func TestAWorkflowSignsAChain(t *testing.T) {
	s, reg := newSite(t, "bl94t"), ownRegistry()
	host, _, _ := strings.Cut(env.Registry, ":")
	issuer := signtest.NewIssuer(t, host)
	trustedRoot, signingConfig := signtest.Start(t, host, issuer).Files(t)
	job := func(i *signtest.Issuer) []string {
		return []string{"ACTIONS_ID_TOKEN_REQUEST_URL=" + i.TokenURL(), "ACTIONS_ID_TOKEN_REQUEST_TOKEN=" + i.Secret}
	}
	s.commit("bl94t/1.0.0")

	unknown := signtest.NewIssuer(t, host)
	r := runEnv(
		t, s.dir, job(unknown), "release", "epics-base/7.0.8.1r1.0", "--registry", reg, "--keyless", "--trusted-root",
		trustedRoot, "--signing-config", signingConfig,
	)
	require.Equal(t, 1, r.status, r.err)
	require.Contains(t, r.err, "for a certificate")
	require.NotContains(t, r.err, "building", "it is refused before anything is built")
	noToken(t, unknown, r.err)

	for _, tag := range []string{"epics-base/7.0.8.1r1.0", "ioc-simstage/1.0.0"} {
		issuer.RunFor(tag)
		r := runEnv(
			t, s.dir, job(issuer), "release", tag, "--registry", reg, "--keyless", "--trusted-root", trustedRoot,
			"--signing-config", signingConfig,
		)
		require.Equal(t, 0, r.status, r.err)
		noToken(t, issuer, r.out+r.err)
	}
	issuer.RunFor("bl94t/1.0.0")
	secret := filepath.Join(t.TempDir(), "secret")
	require.NoError(t, os.WriteFile(secret, []byte(issuer.Secret), 0o600))
	out, said := called(
		t, s, reg, "release", "--tag", "bl94t/1.0.0", "--workflow-url", issuer.TokenURL(), "--workflow-token",
		"file://"+secret, "--trusted-root", trustedRoot, "--signing-config", signingConfig, "record", "contents",
	)
	noToken(t, issuer, out+said)

	verify := []string{
		"verify", "bl94t/1.0.0", "--registry", reg, "--trusted-root", trustedRoot, "--issuer", issuer.URL,
		"--identity",
	}
	noToken(t, issuer, ok(t, s.dir, append(verify, signtest.Workflow)...))
	r = run(t, s.dir, append(verify, "https://github.com/some-org/other/.github/workflows/release.yml")...)
	require.Equal(t, 3, r.status, r.err)
	require.Contains(t, r.err, "do not promote it")
}

// noToken sees that text holds no token, nor what tokens are asked with.
func noToken(t *testing.T, i *signtest.Issuer, text string) {
	t.Helper()
	require.NotEmpty(t, i.Tokens, "no token was asked for")
	require.NotContains(t, text, i.Secret)
	for n := len(i.Tokens); n > 0; n-- {
		token := <-i.Tokens
		i.Tokens <- token
		require.NotContains(t, text, token)
	}
}
