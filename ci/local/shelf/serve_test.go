package shelf

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/local/state"
)

// respond returns the status and body of an answer.
func respond(t *testing.T, h http.Handler, method, target string) (int, string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(method, target, strings.NewReader("")))
	body, err := io.ReadAll(w.Body)
	require.NoError(t, err)
	return w.Code, string(body)
}

func TestMirrorsAreForReading(t *testing.T) {
	dir := t.TempDir()
	_, err := git.PlainInit(filepath.Join(dir, "github.com/o/r.git"), true)
	require.NoError(t, err)
	h, err := MirrorHandler(dir)
	require.NoError(t, err)
	status, _ := respond(t, h, http.MethodGet, "/")
	assert.Equal(t, http.StatusOK, status)
	status, body := respond(t, h, http.MethodGet, "/github.com/o/r/info/refs?service=git-upload-pack")
	assert.Equal(t, http.StatusOK, status)
	assert.Contains(t, body, "# service=git-upload-pack")
	status, _ = respond(t, h, http.MethodGet, "/github.com/o/r.git/info/refs?service=git-receive-pack")
	assert.Equal(t, http.StatusForbidden, status, "nobody pushes")
	for _, path := range []string{
		"/github.com/o/none/info/refs?service=git-upload-pack", "/github.com/../../etc/passwd", "/etc/passwd"} {
		status, _ = respond(t, h, http.MethodGet, path)
		assert.NotEqual(t, http.StatusOK, status, path)
	}
}

func TestTheShelfEndsWithItsContext(t *testing.T) {
	s := state.Dir(t.TempDir())
	assert.Error(t, Serve(t.Context(), s, gateway), "no ports are chosen")
	_, err := choosePorts(s, gateway)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.NoError(t, Serve(ctx, s, gateway))
}

func TestAPortThatAnotherProcessTookIsSaid(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	s := state.Dir(t.TempDir())
	ports := fmt.Appendf(nil, `{"registry":%d,"mirrors":0}`, taken.Addr().(*net.TCPAddr).Port)
	require.NoError(t, state.WriteFile(portsFile(s), ports, 0o644))
	assert.ErrorContains(t, Serve(t.Context(), s, gateway), "another process took the port: run `tagline up` again")
	require.NoError(t, os.WriteFile(portsFile(s), []byte("{"), 0o644))
	assert.Error(t, Serve(t.Context(), s, gateway))
	_, err = choosePorts(s, gateway)
	assert.ErrorContains(t, err, portsFile(s))
}

func TestAnswers(t *testing.T) {
	status := http.StatusUnauthorized
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
	assert.NoError(t, answers(t.Context(), srv.URL), "who refuses is there")
	status = http.StatusBadGateway
	assert.ErrorContains(t, answers(t.Context(), srv.URL), "502 Bad Gateway")
	srv.Close()
	assert.Error(t, answers(t.Context(), srv.URL))
}

func TestPushSaysWhyNot(t *testing.T) {
	img, err := random.Image(10, 1)
	require.NoError(t, err)
	assert.Error(t, Push(t.Context(), "no reference!", img))
	puts := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			puts++
		}
		w.WriteHeader(http.StatusForbidden)
	}))
	defer srv.Close()
	assert.ErrorContains(t, Push(t.Context(), strings.TrimPrefix(srv.URL, "http://")+"/a/b:1", img), "403")
	assert.Zero(t, puts, "who may not read is not written to")
}

func TestAddresses(t *testing.T) {
	p := Ports{Gateway: gateway, Registry: 5000, Mirrors: 5080}
	assert.Equal(t, "10.87.0.1:5000", p.RegistryAddress())
	assert.Equal(t, "http://10.87.0.1:5080/", p.MirrorURL())
}
