package cluster

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
)

// What reads goes through a fence; what changes something is never sent.
func TestFence(t *testing.T) {
	var sent []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		sent = append(sent, r.Method)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"kind":"ConfigMap","apiVersion":"v1","metadata":{"name":"x"}}`))
	}))
	defer server.Close()
	n, err := open(
		&rest.Config{Host: server.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}, nil,
		"bl01t", "bl01t",
	)
	require.NoError(t, err)
	lost := errors.New("the lock was lost")
	held := true
	fenced, err := n.Fenced(func() error {
		if held {
			return nil
		}
		return lost
	})
	require.NoError(t, err)
	maps := fenced.Client.CoreV1().ConfigMaps("bl01t")
	require.NoError(t, maps.Delete(t.Context(), "x", metav1.DeleteOptions{}))
	held = false
	_, err = maps.Get(t.Context(), "x", metav1.GetOptions{})
	require.NoError(t, err)
	require.ErrorIs(t, maps.Delete(t.Context(), "x", metav1.DeleteOptions{}), lost)
	helms, err := fenced.Helm.ToRESTConfig()
	require.NoError(t, err)
	client, err := rest.HTTPClientFor(helms)
	require.NoError(t, err)
	_, err = client.Post(server.URL, "application/json", strings.NewReader("{}"))
	require.ErrorIs(t, err, lost, "Helm's requests too")
	require.Equal(t, []string{"DELETE", "GET"}, sent)
	require.NoError(
		t, n.Client.CoreV1().ConfigMaps("bl01t").Delete(t.Context(), "x", metav1.DeleteOptions{}),
		"others are not fenced",
	)
}
