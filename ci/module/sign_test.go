//go:build standin

package main

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"dagger/tagline/internal/dagger"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/cluster/clustertest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// A mirror with a login is refused before anything is fetched, and not shown.
func TestMirrorWithALogin(t *testing.T) {
	m := New(site(t), "", []string{"https://github.com/=https://ada:hunter2@git.example.org/"}, "", nil)
	_, err := m.Lock(t.Context(), nil)
	require.ErrorContains(t, err, "login in its URL")
	require.NotContains(t, err.Error(), "hunter2")
}

func TestSigner(t *testing.T) {
	key, _, err := sign.NewKey([]byte("secret"))
	require.NoError(t, err)
	given := &dagger.Secret{Text: string(key)}
	for name, c := range map[string]struct {
		by   signing
		says string
	}{
		"nobody":             {signing{}, ""},
		"a key":              {signing{key: given, password: &dagger.Secret{Text: "secret"}}, ""},
		"a wrong password":   {signing{key: given, password: &dagger.Secret{Text: "public"}}, "password"},
		"no such secret":     {signing{key: &dagger.Secret{}}, "secret not found"},
		"key and workflow":   {signing{key: given, token: &dagger.Secret{Text: "t"}, url: "https://x"}, "both named"},
		"workflow, no URL":   {signing{token: &dagger.Secret{Text: "t"}}, "no workflow to sign as"},
		"part of Sigstore":   {signing{trustedRoot: &dagger.File{Text: "{}"}}, "part of a private Sigstore"},
		"no token to be had": {signing{token: &dagger.Secret{}, url: "https://x"}, "secret not found"},
	} {
		t.Run(name, func(t *testing.T) {
			signer, err := c.by.signer(t.Context())
			if c.says != "" {
				require.ErrorContains(t, err, c.says)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.by.key != nil, signer != nil)
		})
	}
	_, err = signing{key: &dagger.Secret{Text: "s3cret"}}.signer(t.Context())
	require.Error(t, err)
	require.NotContains(t, err.Error(), "s3cret")
}

// What a promotion is asked for is read before anything is reached.
func TestPromoteRefuses(t *testing.T) {
	config := &dagger.Secret{Text: "apiVersion: v1\nkind: Config\n"}
	_, err := New(site(t), "ghcr.io/o", nil, "", nil).Promote(t.Context(), "bl01t", "no version", config, "")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	_, err = New(site(t), "", nil, "", nil).Promote(t.Context(), "bl01t", "2026.11.1", config, "")
	require.ErrorContains(t, err, "none is named")
	_, err = New(site(t), "ghcr.io/o", nil, "", nil).Promote(t.Context(), "bl01t", "2026.11.1", &dagger.Secret{}, "")
	require.ErrorContains(t, err, "secret not found")
	_, err = New(site(t), "ghcr.io/o", nil, "", nil).Promote(t.Context(), "bl01t", "2026.11.1", config, "")
	require.Error(t, err, "a kubeconfig without a cluster")
}

// TestWhatRuns: the namespace is found as the command finds it, and a beamline that is none
// names those that there are.
func TestWhatRuns(t *testing.T) {
	server := clustertest.New(t)
	config := &dagger.Secret{Text: server.Kubeconfig()}
	m := module(site(t))
	_, err := m.Status(t.Context(), "bl01t", config, "")
	require.ErrorContains(t, err, "nothing was ever promoted to namespace bl01t; this cluster has no beamline")
	n, err := cluster.Open(server.Access(t), "bl01t", "elsewhere")
	require.NoError(t, err)
	l := &ledger.Ledger{}
	l.Push(ledger.Release{Record: record.Record{
		Kind: asset.Beamline, Asset: "bl01t", Version: assettest.Version("2026.11.1"),
		Tag: assettest.Tag("bl01t/2026.11.1"), Namespace: "elsewhere",
	}, Digest: asset.Digest("sha256:" + strings.Repeat("ab", 32))})
	require.NoError(t, l.Save(t.Context(), n))
	now, err := m.Status(t.Context(), "bl01t", config, "")
	require.NoError(t, err)
	require.Contains(t, now.Text, `"version": "2026.11.1"`)
	_, err = m.Status(t.Context(), "bl02t", config, "")
	require.ErrorContains(t, err, "name one of: bl01t")
	// Where it runs is where it is promoted to, so that the policy of that namespace is asked.
	_, err = New(site(t), "127.0.0.1:1/o", nil, "", nil).Promote(t.Context(), "bl01t", "2026.11.2", config, "")
	require.ErrorContains(t, err, "it has no policy in namespace elsewhere")
}

// TestTrust: signers are named one by one or by a policy, and never by nobody.
func TestTrust(t *testing.T) {
	_, public, err := sign.NewKey(nil)
	require.NoError(t, err)
	publicKey := string(public)
	rules := &dagger.File{Text: "signers:\n  - key: |\n" + indented(publicKey)}
	for name, given := range map[string]trusting{
		"nobody": {}, "a policy and a key": {policy: rules, keys: []*dagger.File{{Text: publicKey}}},
	} {
		_, err := given.signers(t.Context())
		assert.Equal(t, diag.Invalid, diag.KindOf(err), name)
		assert.ErrorContains(t, err, "reading the trusted signers: ", name)
	}
	for name, given := range map[string]trusting{
		"a key": {keys: []*dagger.File{{Text: publicKey}}}, "a policy": {policy: rules},
	} {
		trusted, err := given.signers(t.Context())
		require.NoError(t, err, name)
		assert.Len(t, trusted("bl01t"), 1, name)
	}
}

func indented(text string) string {
	return "      " + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n      ") + "\n"
}
