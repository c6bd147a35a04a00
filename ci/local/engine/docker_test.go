package engine

import (
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/local/state"
)

// dockerAt answers as Docker's API does, at a Unix socket.
func dockerAt(t *testing.T, answers map[string]string) Docker {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "docker.sock")
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if answer, ok := answers[r.Method+" "+r.URL.Path]; ok {
			_, _ = w.Write([]byte(answer))
			return
		}
		http.Error(w, `{"message":"no such thing"}`, http.StatusNotFound)
	}))
	srv.Listener = l
	srv.Start()
	t.Cleanup(srv.Close)
	d, err := NewDocker("unix://" + socket)
	require.NoError(t, err)
	return d
}

func TestDockerGatewayIsWhereContainersReachUs(t *testing.T) {
	d := dockerAt(t, map[string]string{
		"GET /networks/bridge": `{"IPAM":{"Config":[{"Gateway":"fd00::1"},{"Gateway":"172.17.0.1"}]}}`})
	got, err := d.Gateway(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "172.17.0.1", got)
	_, err = dockerAt(t, map[string]string{"GET /networks/bridge": `{}`}).Gateway(t.Context())
	assert.ErrorContains(t, err, "no IPv4 gateway")
	_, err = dockerAt(t, nil).Gateway(t.Context())
	assert.ErrorIs(t, err, errAbsent)
	assert.ErrorContains(t, err, "no such thing")
}

func TestDockerOffersTheEngineWhoseImageItHas(t *testing.T) {
	d := dockerAt(t, map[string]string{"GET /images/registry.dagger.io/engine:" + version + "/json": `{}`})
	assert.NoError(t, d.OffersEngine(t.Context()))
}

func TestRemovingFromDockerWhatIsNotThere(t *testing.T) {
	assert.NoError(t, dockerAt(t, nil).removeEngine(t.Context(), true))
}

func TestDockerOfAnotherMachineIsNoUse(t *testing.T) {
	_, err := NewDocker("tcp://build:2375")
	assert.ErrorContains(t, err, "not on this machine")
	s := state.Dir(t.TempDir())
	assert.NoError(t, StopInDocker(t.Context(), s, true), "never started")
	require.NoError(t, state.WriteFile(dockerFile(s), []byte("unix:///nonexistent/docker.sock"), 0o644))
	assert.NoError(t, StopInDocker(t.Context(), s, true), "Docker is not running any more")
}
