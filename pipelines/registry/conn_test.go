package registry

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	ggcr "github.com/google/go-containerregistry/pkg/registry"
	"github.com/stretchr/testify/require"
)

// TestConnectionsAreUsedAgain: a release of many charts opens about as many
// connections as it sends things at once, not one for each request.
func TestConnectionsAreUsedAgain(t *testing.T) {
	var opened atomic.Int64
	s := httptest.NewUnstartedServer(ggcr.New(ggcr.Logger(log.New(io.Discard, "", 0))))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	s.Start()
	t.Cleanup(s.Close)
	host := strings.TrimPrefix(s.URL, "http://")
	var charts [][]byte
	for i := range 40 {
		charts = append(charts, packaged(t, fmt.Sprintf("bl01t-%02d", i), "1"))
	}
	image := pushImage(t, host)
	_, _, err := release(t.Context(), open(t, host, Options{}), image, charts...)
	require.NoError(t, err)
	require.Less(t, opened.Load(), int64(6*jobs), "of %d requests", 14*len(charts))
}
