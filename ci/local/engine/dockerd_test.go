package engine

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/local/host"
	"github.com/tagline-ci/tagline/ci/local/shelf"
	"github.com/tagline-ci/tagline/ci/local/state"
)

// dockerd is a Docker daemon with one container and one image.
type dockerd struct {
	calls     []string
	pulled    bool
	container map[string]any // as it was created; nil for none
	running   bool
	dies      bool // what is started ends at once
	killed    bool // one that ran was removed: it could not write down its cache
}

func (d *dockerd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call := r.Method + " " + r.URL.Path
	d.calls = append(d.calls, call)
	absent := func() { http.Error(w, `{"message":"no such thing"}`, http.StatusNotFound) }
	switch call {
	case "GET /containers/tagline-engine/json":
		if d.container == nil {
			absent()
			return
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"State": map[string]any{"Running": d.running},
			"Config": map[string]any{"Labels": d.container["Labels"]}})
	case "POST /containers/create":
		if !d.pulled {
			absent()
			return
		}
		body, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(body, &d.container)
	case "POST /images/create":
		d.pulled = r.URL.Query().Get("fromImage") == dockerImage && r.URL.Query().Get("tag") == version
	case "POST /containers/tagline-engine/start":
		d.running = !d.dies
	case "POST /containers/tagline-engine/stop":
		switch {
		case d.container == nil:
			absent()
		case !d.running:
			w.WriteHeader(http.StatusNotModified)
		}
		d.running = false
	case "DELETE /containers/tagline-engine":
		if d.container == nil {
			absent()
			return
		}
		d.killed = d.killed || d.running
		d.container, d.running = nil, false
	default:
		absent()
	}
}

// serve starts the daemon and returns its DOCKER_HOST.
func (d *dockerd) serve(t *testing.T) string {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "docker.sock")
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	srv := httptest.NewUnstartedServer(d)
	srv.Listener = l
	srv.Start()
	t.Cleanup(srv.Close)
	return "unix://" + socket
}

func TestTheEngineInDocker(t *testing.T) {
	var d dockerd
	dockerHost := d.serve(t)
	o := Options{State: state.Dir(t.TempDir()), Ports: shelf.Ports{Gateway: "172.17.0.1", Registry: 5000}}
	require.NoError(t, StartInDocker(t.Context(), o, dockerHost))
	assert.Equal(t, dockerImage+":"+version, d.container["Image"])
	assert.Contains(t, d.container["HostConfig"].(map[string]any)["Binds"],
		o.State.Path("engine", "engine.json")+":/etc/dagger/engine.json:ro")
	assert.Contains(t, d.calls, "POST /images/create", "it was not there")

	d.calls = nil
	require.NoError(t, StartInDocker(t.Context(), o, dockerHost))
	assert.Equal(t, []string{"GET /containers/tagline-engine/json"}, d.calls, "it runs already")

	o.Ports.Registry = 5001
	require.NoError(t, StartInDocker(t.Context(), o, dockerHost))
	assert.Contains(t, d.calls, "DELETE /containers/tagline-engine", "it has another configuration")
	assert.True(t, d.running)

	require.NoError(t, StopInDocker(t.Context(), o.State, false))
	assert.False(t, d.running)
	require.NoError(t, StopInDocker(t.Context(), o.State, true), "a second time")
	assert.False(t, d.killed, "an engine that is killed loses its cache")
}

func TestAnEngineThatEndsAtOnceInDocker(t *testing.T) {
	d := dockerd{dies: true, pulled: true}
	o := Options{State: state.Dir(t.TempDir()), Ports: shelf.Ports{Gateway: host.GatewayIP, Registry: 5000}}
	assert.ErrorContains(t, StartInDocker(t.Context(), o, d.serve(t)), "starting the engine in Docker: it ended")
}

func TestWhatDockerSaysIsShown(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, `{"message":"the disk is full"}`, http.StatusInternalServerError)
	}))
	socket := filepath.Join(t.TempDir(), "docker.sock")
	l, err := net.Listen("unix", socket)
	require.NoError(t, err)
	srv.Listener = l
	srv.Start()
	t.Cleanup(srv.Close)
	d, err := NewDocker("unix://" + socket)
	require.NoError(t, err)
	_, err = d.Gateway(t.Context())
	assert.ErrorContains(t, err, `the Docker daemon says 500 Internal Server Error: {"message":"the disk is full"}`)
}
