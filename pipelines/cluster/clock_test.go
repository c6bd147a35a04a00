package cluster_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// The cluster says what time it is, whatever the clock of this machine shows, and even to
// who has no right to ask for its version.
func TestNowIsTheClusters(t *testing.T) {
	date := "Fri, 27 Nov 2026 03:00:00 GMT"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.Equal(t, "/clusters/x/version", r.URL.Path)
		w.Header()["Date"] = []string{date}
		w.WriteHeader(http.StatusForbidden)
	}))
	defer server.Close()
	n := &cluster.Namespace{Config: &rest.Config{Host: server.URL + "/clusters/x"}}
	now, err := n.Now(t.Context())
	require.NoError(t, err)
	require.Equal(t, time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC), now.UTC())
	for _, date = range []string{"", "yesterday"} {
		_, err = n.Now(t.Context())
		require.ErrorContains(t, err, "asking the cluster what time it is: its answer has no date")
		require.Equal(t, diag.Broken, diag.KindOf(err))
	}
}
