package local

import (
	"net"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/local/engine"
	"github.com/tagline-ci/tagline/ci/local/host"
	"github.com/tagline-ci/tagline/ci/local/process"
	"github.com/tagline-ci/tagline/ci/local/shelf"
	"github.com/tagline-ci/tagline/ci/local/state"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

const noDocker = "unix:///nonexistent/docker.sock"

func TestEngineChoice(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "engine.sock")
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	defer l.Close()
	s := state.Dir(t.TempDir())
	for given, want := range map[string]string{
		"":                          standIn,
		engine.Address(s):           standIn, // what `tagline env` set is no choice of a person's
		"unix://" + socket:          "running engine",
		"docker-container://engine": "running engine",
	} {
		var c choice
		require.NoError(
			t, c.chooseEngine(t.Context(), Options{State: s, RunnerHost: given, DockerHost: noDocker}), given,
		)
		assert.Equal(t, want, c.Engine.Choice, given)
		assert.NotEmpty(t, c.Engine.Why)
		assert.Equal(t, host.GatewayIP, c.Gateway)
	}
}

func TestANamedEngineOrClusterThatDoesNotAnswerIsNotReplaced(t *testing.T) {
	gone := filepath.Join(t.TempDir(), "gone")
	var c choice
	err := c.chooseEngine(t.Context(), Options{RunnerHost: "unix://" + gone})
	assert.Equal(t, diag.Broken, diag.KindOf(err))
	assert.ErrorContains(t, err, gone)
	assert.ErrorContains(t, err, "unset the variable")
	_, err = chooseCluster(t.Context(), Options{Kubeconfig: gone})
	assert.ErrorContains(t, err, "KUBECONFIG="+gone)
	assert.ErrorContains(t, err, "unset the variable")
}

func TestServeIsNotForPeople(t *testing.T) {
	for _, args := range [][]string{nil, {"engine"}, {process.VerbEnclosed}, {shelf.Verb}} {
		assert.ErrorContains(t, Serve(t.Context(), args), "`tagline up` alone")
	}
}

// Who is not root is told of all that needs root before anything is started.
func TestStandInsNeedRoot(t *testing.T) {
	both := choice{Engine: Part{Choice: standIn}, Cluster: Part{Choice: standIn}}
	require.NoError(t, both.allowed(true))
	err := both.allowed(false)
	require.ErrorContains(t, err, "starting an engine and a cluster: containers and pods need root")
	require.ErrorContains(t, err, "start Docker, or name an engine in _EXPERIMENTAL_DAGGER_RUNNER_HOST, and name a "+
		"cluster in KUBECONFIG")
	err = choice{Engine: Part{Choice: inDocker}, Cluster: Part{Choice: standIn}}.allowed(false)
	require.ErrorContains(t, err, "starting a cluster: ")
	require.NotContains(t, err.Error(), "Docker")
	require.NoError(t, choice{Engine: Part{Choice: inDocker}, Cluster: Part{Choice: "running cluster"}}.allowed(false))
}
