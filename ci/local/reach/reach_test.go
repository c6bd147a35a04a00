package reach

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestReach(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusForbidden)
	}))
	assert.NoError(t, Site(t.Context(), srv.URL, http.StatusOK, http.StatusForbidden))
	assert.ErrorContains(t, Site(t.Context(), srv.URL, http.StatusOK), "403 Forbidden")
	srv.Close()
	err := Site(t.Context(), srv.URL, http.StatusOK)
	assert.ErrorContains(t, err, "refused")
	assert.NotContains(t, err.Error(), "Get ")
}
