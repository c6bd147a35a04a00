//go:build standin

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"dagger/tagline/internal/dagger"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/plan"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// site is a repository with the assets of this one and a tag.
func site(t *testing.T) *dagger.Directory {
	t.Helper()
	dir := t.TempDir()
	for _, folder := range []string{"generic-iocs", "beamlines", "charts"} {
		require.NoError(t, os.CopyFS(filepath.Join(dir, folder), os.DirFS("../../"+folder)))
	}
	for _, args := range [][]string{
		{"init", "-q", "-b", "main"}, {"add", "."}, {"commit", "-q", "-m", "a site"}, {"tag", "bl01t/2026.11.1"},
	} {
		as := []string{"-C", dir, "-c", "user.name=e", "-c", "user.email=e@example.org"}
		cmd := exec.CommandContext(t.Context(), "git", append(as, args...)...)
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	return &dagger.Directory{Dir: dir}
}

// A plan needs the repository alone, and is that of the command.
func TestPlan(t *testing.T) {
	m := New(site(t), "", nil, "", nil)
	text, err := m.Plan(t.Context(), "bl01t/2026.11.1")
	require.NoError(t, err)
	var p plan.Plan
	require.NoError(t, json.Unmarshal([]byte(text), &p))
	require.EqualValues(t, "bl01t", p.Beamline.Name)
	require.NotEmpty(t, p.Steps)

	_, err = m.Plan(t.Context(), "bl01t/2026.11.9")
	require.ErrorContains(t, err, "bl01t/2026.11.9")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	_, err = New(&dagger.Directory{Dir: t.TempDir()}, "", nil, "", nil).Plan(t.Context(), "bl01t/2026.11.1")
	require.Error(t, err, "a folder that is no repository")
}

func TestRegistry(t *testing.T) {
	m := New(nil, "", nil, "", nil)
	_, err := m.registry(t.Context())
	require.EqualError(t, err, "no registry is named; give --registry")
	m = New(nil, "ghcr.io/Some-Org", nil, "ada", &dagger.Secret{Text: "hunter2"})
	reg, err := m.registry(t.Context())
	require.NoError(t, err)
	require.Equal(t, "ghcr.io/some-org", reg.Prefix())
	m.Password = &dagger.Secret{}
	_, err = m.registry(t.Context())
	require.Error(t, err, "a password that can't be read is not the same as none")
	m.Registry, m.Password = "not a registry", nil
	_, err = m.registry(t.Context())
	require.Equal(t, diag.Invalid, diag.KindOf(err))
}

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
}

// What a promotion is asked for is read before anything is reached.
func TestPromoteRefuses(t *testing.T) {
	config := &dagger.Secret{Text: "apiVersion: v1\nkind: Config\n"}
	_, err := New(nil, "ghcr.io/o", nil, "", nil).Promote(t.Context(), "bl01t", "no version", config)
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	_, err = New(nil, "", nil, "", nil).Promote(t.Context(), "bl01t", "2026.11.1", config)
	require.ErrorContains(t, err, "no registry is named")
	_, err = New(nil, "ghcr.io/o", nil, "", nil).Promote(t.Context(), "bl01t", "2026.11.1", &dagger.Secret{})
	require.ErrorContains(t, err, "secret not found")
	_, err = New(nil, "ghcr.io/o", nil, "", nil).Promote(t.Context(), "bl01t", "2026.11.1", config)
	require.Error(t, err, "a kubeconfig without a cluster")
}
