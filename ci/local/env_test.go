package local

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/local/state"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

func TestEnvIsReadAsItWasWritten(t *testing.T) {
	s := state.Dir(t.TempDir())
	want := Env{
		Parts:      []Part{{"engine", standIn, "none is named", "unix:///x"}},
		RunnerHost: "unix:///x", CLIBin: "/bin/dagger", Registry: "10.87.0.1:5000", Kubeconfig: "/k",
		Git:     "http://10.87.0.1:5080/",
		Mirrors: map[string]string{"https://github.com/": "http://10.87.0.1:5080/github.com/"},
	}
	require.NoError(t, writeEnv(s, want))
	got, err := ReadEnv(s)
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestReadEnvSaysWhatToDo(t *testing.T) {
	_, err := ReadEnv(state.Dir(t.TempDir()))
	assert.Equal(t, diag.Broken, diag.KindOf(err))
	assert.ErrorContains(t, err, "nothing is up; run `tagline up`")
}

func TestEnviron(t *testing.T) {
	e := Env{RunnerHost: "unix:///x", Registry: "h:1", Mirrors: map[string]string{
		"https://b/": "http://m/b/", "https://a/": "http://m/a/"}}
	assert.Equal(t, []string{
		"DO_NOT_TRACK=1", "DAGGER_NO_NAG=1",
		"_EXPERIMENTAL_DAGGER_RUNNER_HOST=unix:///x",
		"TAGLINE_REGISTRY=h:1",
		"TAGLINE_MIRRORS=https://a/=http://m/a/,https://b/=http://m/b/",
	}, e.Environ())
	assert.Equal(t, []string{"DO_NOT_TRACK=1", "DAGGER_NO_NAG=1"}, Env{}.Environ())
}

// Only the cluster that up started is up's own: not one that KUBECONFIG named, which may be
// that of a beamline with hardware, and none before it is there.
func TestOnlyAStandInClusterIsOwned(t *testing.T) {
	cluster := func(choice string) Env {
		parts := []Part{{Part: "engine", Choice: standIn}, {Part: "cluster", Choice: choice}}
		return Env{Kubeconfig: "/s/kube/admin", Parts: parts}
	}
	assert.True(t, cluster(standIn).Owns("/s/kube/admin"))
	assert.True(t, cluster(standIn).Owns("/s/kube/../kube/admin"))
	assert.False(t, cluster(standIn).Owns("/home/ada/.kube/config"))
	assert.False(t, cluster("running cluster").Owns("/s/kube/admin"))
	assert.False(t, Env{Parts: []Part{{Part: "engine", Choice: standIn}}}.Owns(""))
	assert.False(t, Env{}.Owns(""))
}
