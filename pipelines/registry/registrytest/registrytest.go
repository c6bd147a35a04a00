// Package registrytest serves registries in memory, for tests.
package registrytest

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"

	ggcr "github.com/google/go-containerregistry/pkg/registry"
)

// Handler returns an empty registry.
func Handler() http.Handler {
	return ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0)), ggcr.WithReferrersSupport(true))
}

// Serve returns the address of an empty registry, "127.0.0.1:port", which ends with the
// test. It is behind layer where that isn't nil.
func Serve(t testing.TB, layer func(http.Handler) http.Handler) string {
	t.Helper()
	h := Handler()
	if layer != nil {
		h = layer(h)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// Spoil is what a registry answers in place of its own content: by the last part of the
// path, as a digest or a tag, a []byte. The zero value spoils nothing.
type Spoil struct{ sync.Map }

// Layer returns a handler that answers what is spoilt, and leaves the rest to h.
func (s *Spoil) Layer(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if b, ok := s.Load(path.Base(r.URL.Path)); ok && r.Method == http.MethodGet {
			_, _ = w.Write(b.([]byte))
			return
		}
		h.ServeHTTP(w, r)
	})
}
