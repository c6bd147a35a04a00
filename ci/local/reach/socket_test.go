package reach

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sock")
	assert.ErrorContains(t, Socket(t.Context(), "unix", path), "no such file")
	l, err := net.Listen("unix", path)
	require.NoError(t, err)
	assert.NoError(t, Socket(t.Context(), "unix", path))
	l.Close()
	tcp, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	address := tcp.Addr().String()
	assert.NoError(t, Socket(t.Context(), "tcp", address))
	tcp.Close()
	assert.ErrorContains(t, Socket(t.Context(), "tcp", "127.0.0.1:1"), "refused", "where nobody listens")
}

func TestASiteThatIsSilentIsNotWaitedForForever(t *testing.T) {
	release := make(chan struct{})
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer srv.Close()
	defer close(release)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	err := Site(ctx, srv.URL, http.StatusOK)
	assert.ErrorContains(t, err, "no answer in 4s")
	assert.NotContains(t, err.Error(), "http://", "the host names the site")
}

func TestNoSiteAtAll(t *testing.T) {
	assert.Error(t, Site(t.Context(), "://", http.StatusOK))
}

func TestWithoutURL(t *testing.T) {
	cause := errors.New("refused")
	assert.Equal(t, cause, WithoutURL(&url.Error{Op: "Get", URL: "http://user:password@host/", Err: cause}))
	assert.Equal(t, cause, WithoutURL(cause))
}
