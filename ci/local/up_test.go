package local

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/local/shelf"
	"github.com/tagline-ci/tagline/ci/local/state"
)

// clusterOf returns a kubeconfig of a cluster that answers with a version.
func clusterOf(t *testing.T, version string) string {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"major":"1","minor":"34","gitVersion":"` + version + `"}`))
	}))
	t.Cleanup(srv.Close)
	path := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, os.WriteFile(path, []byte(`apiVersion: v1
kind: Config
clusters: [{name: c, cluster: {server: "`+srv.URL+`"}}]
contexts: [{name: c, context: {cluster: c}}]
current-context: c
`), 0o600))
	return path
}

func TestANamedClusterIsUsed(t *testing.T) {
	s := state.Dir(t.TempDir())
	kubeconfig := clusterOf(t, "v1.31.7")
	part, err := chooseCluster(t.Context(), Options{State: s, Kubeconfig: kubeconfig})
	require.NoError(t, err)
	assert.Equal(t, "running cluster", part.Choice)
	assert.Equal(t, kubeconfig, part.Address)
	assert.Contains(t, part.Why, "v1.31.7")

	used, err := up{Options: Options{State: s}, chosen: choice{Cluster: part}}.cluster(t.Context())
	require.NoError(t, err)
	assert.Equal(t, part, used)
}

func TestOurOwnClusterIsNoChoiceOfAPerson(t *testing.T) {
	s := state.Dir(t.TempDir())
	for _, given := range []string{"", s.Path("kube", "admin.kubeconfig")} {
		part, err := chooseCluster(t.Context(), Options{State: s, Kubeconfig: given})
		require.NoError(t, err)
		assert.Equal(t, standIn, part.Choice)
		assert.Equal(t, s.Path("kube", "admin.kubeconfig"), part.Address)
	}
}

func TestWhatTheInternetOffersIsUsed(t *testing.T) {
	u := up{Options: Options{State: state.Dir(t.TempDir())},
		ports: shelf.Ports{Gateway: "10.87.0.1", Registry: 5000, Mirrors: 5080}}
	base, err := u.baseImage(t.Context())
	require.NoError(t, err)
	assert.Equal(t, Part{"base image", "Docker Hub", "it answers", "docker.io/library/debian:trixie-slim"}, base)
	var env Env
	sources, err := u.sources(t.Context(), &env)
	require.NoError(t, err)
	assert.Equal(t, "GitHub", sources.Choice)
	assert.Empty(t, env.Mirrors)
}

func TestSourcesComeFromTheMirrorsWhereGitHubIsOutOfReach(t *testing.T) {
	s := state.Dir(t.TempDir())
	require.NoError(t, os.MkdirAll(filepath.Join(s.Mirrors(), "github.com/epics-base/epics-base.git"), 0o755))
	u := up{Options{State: s}, choice{GitHub: errors.New("github.com: no answer in 4s")},
		shelf.Ports{Gateway: "10.87.0.1", Mirrors: 5080}}
	var env Env
	sources, err := u.sources(t.Context(), &env)
	require.NoError(t, err)
	assert.Equal(t, standIn, sources.Choice)
	assert.Contains(t, sources.Why, "no answer in 4s")
	assert.Equal(t, map[string]string{"https://github.com/": "http://10.87.0.1:5080/github.com/"}, env.Mirrors)
}

func TestAReleaseNeedNotWaitForTheCluster(t *testing.T) {
	s := state.Dir(t.TempDir())
	half := Env{RunnerHost: "unix:///engine.sock", Registry: "10.87.0.1:5000"}
	require.NoError(t, announce(s, half))
	env, err := ReadEnv(s)
	require.NoError(t, err)
	assert.Equal(t, half, env)

	whole := half
	whole.Kubeconfig = "/state/kube/admin.kubeconfig"
	require.NoError(t, writeEnv(s, whole))
	require.NoError(t, announce(s, half), "the next up")
	env, err = ReadEnv(s)
	require.NoError(t, err)
	assert.Equal(t, whole, env)
}

func TestDownWhereNothingWasEverUp(t *testing.T) {
	s := state.Dir(filepath.Join(t.TempDir(), "never"))
	require.NoError(t, Down(t.Context(), s, true))
	assert.NoDirExists(t, string(s))
}

func TestUpAndDownWaitForEachOther(t *testing.T) {
	s := state.Dir(t.TempDir())
	unlock, err := s.Lock(t.Context())
	require.NoError(t, err)
	defer unlock()
	require.NoError(t, writeEnv(s, Env{Registry: "10.87.0.1:5000"}))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, Down(ctx, s, true), context.Canceled)
	_, err = Up(ctx, Options{State: s})
	assert.ErrorIs(t, err, context.Canceled)
	env, err := ReadEnv(s)
	require.NoError(t, err)
	assert.Equal(t, "10.87.0.1:5000", env.Registry, "nothing was touched")
}

func TestAnEnvThatCannotBeReadIsNamed(t *testing.T) {
	s := state.Dir(t.TempDir())
	require.NoError(t, state.WriteFile(envFile(s), []byte("{"), 0o644))
	_, err := ReadEnv(s)
	assert.ErrorContains(t, err, "reading "+envFile(s)+": unexpected end of JSON input; run `tagline up`")
}
