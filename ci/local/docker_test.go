package local

import (
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// dockerAt answers as Docker's API does, at a Unix socket.
func dockerAt(t *testing.T, answers map[string]string) docker {
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
	d, err := newDocker("unix://" + socket)
	require.NoError(t, err)
	return d
}

func TestDockerGatewayIsWhereContainersReachUs(t *testing.T) {
	d := dockerAt(t, map[string]string{"GET /networks/bridge": `{"IPAM":{"Config":[{"Gateway":"fd00::1"},{"Gateway":"172.17.0.1"}]}}`})
	got, err := d.gateway(t.Context())
	require.NoError(t, err)
	assert.Equal(t, "172.17.0.1", got)
	_, err = dockerAt(t, map[string]string{"GET /networks/bridge": `{}`}).gateway(t.Context())
	assert.ErrorContains(t, err, "no IPv4 gateway")
	_, err = dockerAt(t, nil).gateway(t.Context())
	assert.ErrorIs(t, err, errAbsent)
	assert.ErrorContains(t, err, "no such thing")
}

func TestDockerOffersTheEngineWhoseImageItHas(t *testing.T) {
	d := dockerAt(t, map[string]string{"GET /images/registry.dagger.io/engine:" + engineVersion + "/json": `{}`})
	assert.NoError(t, d.offersEngine(t.Context()))
}

func TestRemovingFromDockerWhatIsNotThere(t *testing.T) {
	assert.NoError(t, dockerAt(t, nil).removeEngine(t.Context(), true))
}

func TestDockerOfAnotherMachineIsNoUse(t *testing.T) {
	_, err := newDocker("tcp://build:2375")
	assert.ErrorContains(t, err, "not on this machine")
	s := State{Dir: t.TempDir()}
	assert.NoError(t, stopInDocker(t.Context(), s, true), "never started")
	require.NoError(t, writeFile(s.dockerFile(), []byte(noDocker), 0o644))
	assert.NoError(t, stopInDocker(t.Context(), s, true), "Docker is not running any more")
}
