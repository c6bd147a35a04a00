package promote_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/page"
)

// TestThePageFollowsTheCluster: an IOC that loses its pod and one that somebody
// changed by hand are on the page, and so is that they are well again.
func TestThePageFollowsTheCluster(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.promote(w.release("2026.1.1", map[string]string{"a": answers}))
	board := page.NewBoard()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- board.Watch(ctx, func(context.Context) ([]ledger.Reached, error) {
			return []ledger.Reached{{Context: "test", Namespace: w.cluster}}, nil
		})
	}()
	server := httptest.NewServer(nil)
	server.Config.Handler = page.NewServer(board, server.Listener.Addr())
	t.Cleanup(func() {
		stop()
		require.NoError(t, <-ended)
		server.Close()
	})
	w.shows(server.URL, "well", "")

	pods := w.client.CoreV1().Pods(w.namespace)
	require.NoError(t, pods.Delete(t.Context(), w.state("a").Pod, metav1.DeleteOptions{}))
	w.shows(server.URL, "not ready", "")
	w.shows(server.URL, "well", "")
	patch := []byte(`{"spec":{"template":{"spec":{"terminationGracePeriodSeconds":3}}}}`)
	_, err := w.client.AppsV1().Deployments(w.namespace).Patch(t.Context(), "a", types.StrategicMergePatchType, patch, metav1.PatchOptions{})
	require.NoError(t, err)
	w.shows(server.URL, "drifted", "terminationGracePeriodSeconds")
}

// shows waits until the page shows the IOC in a state, with a word in its drift.
func (w *world) shows(address, level, drift string) {
	w.t.Helper()
	began, last := time.Now(), ""
	shown := assert.Eventually(w.t, func() bool {
		answer, err := http.Get(address + "/?format=json")
		require.NoError(w.t, err)
		defer answer.Body.Close()
		var view struct {
			Beamlines []struct {
				Failed    string
				Comparing bool
				Instances []struct {
					Level string
					Drift []string
				}
			}
		}
		require.NoError(w.t, json.NewDecoder(answer.Body).Decode(&view))
		if len(view.Beamlines) != 1 || len(view.Beamlines[0].Instances) != 1 || view.Beamlines[0].Comparing {
			return false
		}
		ioc := view.Beamlines[0].Instances[0]
		last = ioc.Level + " " + strings.Join(ioc.Drift, " ") + view.Beamlines[0].Failed
		return ioc.Level == level && strings.Contains(last, drift)
	}, time.Minute, 50*time.Millisecond)
	require.True(w.t, shown, "waiting for %s: it shows %q", level, last)
	w.t.Logf("it shows %q after %s", last, time.Since(began).Round(10*time.Millisecond))
}
