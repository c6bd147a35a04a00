package promote_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"

	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/events"
	"github.com/tagline-ci/tagline/pipelines/gate"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/promote"
)

// told is the data of an event.
type told struct {
	events.Deed
	Text string
}

// logbook makes the policy of the world's beamline, which has its roles, name a receiver,
// and returns what that has been told so far, each with a good signature.
func (w *world) logbook() func() []told {
	const key = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	verifier, err := webhooks.NewWebhook(key)
	require.NoError(w.t, err)
	var mu sync.Mutex
	var all []told
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		body, err := io.ReadAll(r.Body)
		var event struct{ Data told }
		if err == nil {
			err = verifier.Verify(body, r.Header)
		}
		if err == nil {
			err = json.Unmarshal(body, &event)
		}
		if err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		all = append(all, event.Data)
	}))
	w.t.Cleanup(server.Close)
	w.receivers = []policy.Receiver{{Name: "logbook", URL: server.URL}}
	text := fmt.Sprintf("unsigned: a beamline of a test\nevents:\n  - {name: logbook, url: %q}\n", server.URL)
	require.NoError(w.t, ledger.SavePolicy(w.t.Context(), w.cluster, text))
	_, err = w.client.CoreV1().Secrets(events.KeysOf(w.namespace)).Create(w.t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: events.SecretName}, StringData: map[string]string{"logbook": key},
	}, metav1.CreateOptions{})
	require.NoError(w.t, err)
	return func() []told {
		mu.Lock()
		defer mu.Unlock()
		return all
	}
}

// Who promotes tells the policy's receivers what was done, with the PVs that came and
// went, and a rollback is watched as the policy says.
func TestWhatWasDoneIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	users, deps := w.grant(), w.deps()
	said := w.logbook()
	deps.Cluster = w.open(w.as(users["promoting"]))
	one := map[string]string{"a": answers}
	for _, pass := range []gate.Pass{
		w.release("2026.1.1", one), w.release("2026.1.2", map[string]string{"a": answers + "# 2\n", "b": answers}),
	} {
		_, err := promote.Run(w.ctx(), deps, pass)
		require.NoError(t, err)
	}
	w.verify = &policy.Verify{For: "6s"}
	watched := w.release("2026.1.1", one)
	deps.May = func(context.Context, ledger.Release) (gate.Pass, error) { return watched, nil }
	r, err := promote.Rollback(w.ctx(), deps, "")
	require.NoError(t, err)
	require.Equal(t, "verified 6s", r.Verified)

	all := said()
	require.Len(t, all, 3)
	require.Equal(t, &events.PVs{
		Added: events.Names{Count: 1, First: []string{"A:X"}}, Removed: events.Names{First: []string{}},
	}, all[0].PVs)
	require.Equal(t, &events.PVs{
		Added: events.Names{Count: 1, First: []string{"B:X"}}, Removed: events.Names{First: []string{}},
	}, all[1].PVs)
	require.Equal(t, []events.IOC{{Name: "a", Did: promote.Restarted}, {Name: "b", Did: promote.Started}}, all[1].IOCs)
	require.Contains(t, all[1].Text, w.line+": 2026.1.2 promoted by ")
	require.Equal(t, "rollback", all[2].Did)
	require.Equal(t, "verified 6s", all[2].Verified)
	require.Equal(t, "2026.1.2", all[2].From)
	require.Equal(t, events.Names{Count: 1, First: []string{"B:X"}}, all[2].PVs.Removed)
	require.Contains(t, all[2].Text, ", 1 IOC changed, 1 removed, verified 6s")
	w.did("rollback", "promote", "promote")
}
