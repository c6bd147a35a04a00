package events

import (
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cloudevents/sdk-go/v2/event"
	webhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttest "k8s.io/client-go/testing"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// signingKey is what the receivers of these tests and the beamline have in common.
var signingKey = "whsec_" + base64.StdEncoding.EncodeToString([]byte("the key of these tests alone"))

// A busy machine may take longer to answer than a receiver may, and nobody has to wait
// before he asks again.
func TestMain(m *testing.M) {
	again.Duration, client.Timeout = time.Millisecond, within
	os.Exit(m.Run())
}

// site is a beamline with receivers, and what a person saw of telling them.
type site struct {
	n   *cluster.Namespace
	ctx context.Context

	mu   sync.Mutex
	said []string
}

// newSite returns a beamline whose policy names receivers at addresses, called a, b, …
func newSite(t *testing.T, addresses ...string) *site {
	s := &site{n: &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: fake.NewClientset()}}
	s.ctx = step.WithSink(t.Context(), func(e step.Event) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.said = append(s.said, e.Name+": "+e.Line)
	})
	text, keys := "unsigned: a beamline of a test\nevents:\n", map[string][]byte{}
	for i, address := range addresses {
		name := string(rune('a' + i))
		text += fmt.Sprintf("  - {name: %s, url: %q}\n", name, address)
		keys[name] = []byte(signingKey + "\n")
	}
	require.NoError(t, ledger.SavePolicy(t.Context(), s.n, text))
	_, err := s.n.Client.CoreV1().Secrets(KeysOf("bl01t")).Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: SecretName}, Data: keys,
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	return s
}

// receiver is a server that keeps what it is sent.
type receiver struct {
	*httptest.Server
	mu  sync.Mutex
	all []delivery
}

// delivery is what a receiver was sent.
type delivery struct {
	header http.Header
	body   string
}

// sent returns what has arrived.
func (rec *receiver) sent() []delivery {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return slices.Clone(rec.all)
}

// newReceiver answers as the function does, with how often it was asked before.
func newReceiver(t *testing.T, answer func(w http.ResponseWriter, r *http.Request, before int)) *receiver {
	rec := &receiver{}
	rec.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return // the sender went away
		}
		rec.mu.Lock()
		before := len(rec.all)
		rec.all = append(rec.all, delivery{r.Header.Clone(), string(body)})
		rec.mu.Unlock()
		answer(w, r, before)
	}))
	t.Cleanup(rec.Close)
	return rec
}

// takes answers as a receiver that takes everything.
func takes(w http.ResponseWriter, _ *http.Request, _ int) { w.WriteHeader(http.StatusAccepted) }

// deed is what these tests tell.
var deed = Deed{
	Entry: ledger.Entry{
		Time: time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC), By: "ajp on ws012, process 4711", Did: "promote",
		Version: "2026.11.2", From: "2026.11.1", Verified: "verified 2m", Approvals: []string{"jane"},
		Override: "ajp: the shutter is stuck",
	},
	IOCs: []IOC{{"bl01t-mo-01", "restarted"}, {"bl01t-mo-02", "restarted"}, {"bl01t-va-01", "started"}},
	PVs:  Compare([]string{"OLD", "A"}, []string{"A", "NEW:2", "NEW:1"}),
}

// A receiver gets a CloudEvent with a signature that Standard Webhooks' own library
// takes, and the deed is in the history.
func TestWrite(t *testing.T) {
	rec := newReceiver(t, takes)
	s := newSite(t, rec.URL+"/hooks/tagline")
	stop := ledger.Entry{Time: deed.Time, By: "me", Did: "stop", Instance: "a", Reason: "it hangs"}
	Write(s.ctx, s.n, deed, Deed{Entry: stop})
	require.Empty(t, s.said)
	entries, err := ledger.Entries(t.Context(), s.n)
	require.NoError(t, err)
	require.Equal(t, []ledger.Entry{stop, deed.Entry}, entries)

	require.Len(t, rec.sent(), 2, "in the order of the deeds")
	verifier, err := webhooks.NewWebhook(signingKey)
	require.NoError(t, err)
	stranger, err := webhooks.NewWebhookRaw([]byte("another key"))
	require.NoError(t, err)
	ids := map[string]bool{}
	for _, m := range rec.sent() {
		require.NoError(t, verifier.Verify([]byte(m.body), m.header))
		require.Error(t, verifier.Verify([]byte(m.body+" "), m.header))
		require.Error(t, stranger.Verify([]byte(m.body), m.header))
		require.Equal(t, "application/cloudevents+json; charset=utf-8", m.header.Get("Content-Type"))
		e := event.New()
		require.NoError(t, e.UnmarshalJSON([]byte(m.body)))
		require.NoError(t, e.Validate())
		require.Equal(t, m.header.Get("webhook-id"), e.ID())
		ids[e.ID()] = true
	}
	require.Len(t, ids, 2)
	first := event.New()
	require.NoError(t, first.UnmarshalJSON([]byte(rec.sent()[0].body)))
	require.Equal(t, "io.github.tagline-ci.promote", first.Type())
	require.Equal(t, "/beamlines/bl01t", first.Source())
	require.Equal(t, "2026.11.2", first.Subject())
	require.Equal(t, deed.Time, first.Time())
	require.JSONEq(t, `{
		"text": "bl01t: 2026.11.2 promoted by ajp on ws012, 2 IOCs changed, 1 new, verified 2m, `+
		`the policy was overridden by ajp: the shutter is stuck",
		"beamline": "bl01t", "namespace": "bl01t", "time": "2026-11-27T03:00:00Z",
		"by": "ajp on ws012, process 4711", "did": "promote", "version": "2026.11.2", "from": "2026.11.1",
		"verified": "verified 2m", "approvals": ["jane"], "override": "ajp: the shutter is stuck",
		"iocs": [{"name": "bl01t-mo-01", "did": "restarted"}, {"name": "bl01t-mo-02", "did": "restarted"},
			{"name": "bl01t-va-01", "did": "started"}],
		"pvs": {"added": {"count": 2, "first": ["NEW:1", "NEW:2"]}, "removed": {"count": 1, "first": ["OLD"]}}
	}`, string(first.Data()))
}

// A receiver that is slow, fails or leads elsewhere is told of a few times at most, and
// keeps nobody from being told. Nothing that is said has a secret in it.
func TestReceiversThatFail(t *testing.T) {
	const path = "/hooks/T0KEN"
	elsewhere := newReceiver(t, takes)
	for name, c := range map[string]struct {
		answer func(w http.ResponseWriter, r *http.Request, before int)
		times  int    // that it is asked
		says   string // empty where it is told in the end
	}{
		"once": {func(w http.ResponseWriter, _ *http.Request, before int) {
			if before == 0 {
				w.WriteHeader(http.StatusBadGateway)
			}
		}, 2, ""},
		"always": {func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, "\x1b[2J"+path)
		}, 3, "it answers 500 Internal Server Error"},
		"refuses": {func(w http.ResponseWriter, _ *http.Request, _ int) {
			w.WriteHeader(http.StatusUnauthorized)
		}, 1, "it answers 401 Unauthorized"},
		"leads elsewhere": {func(w http.ResponseWriter, r *http.Request, _ int) {
			http.Redirect(w, r, elsewhere.URL+path, http.StatusTemporaryRedirect)
		}, 1, "it answers 307, which leads elsewhere"},
		"hangs up": {func(http.ResponseWriter, *http.Request, int) { panic(http.ErrAbortHandler) }, 3, "EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			bad, good := newReceiver(t, c.answer), newReceiver(t, takes)
			s := newSite(t, bad.URL+path, good.URL)
			Write(s.ctx, s.n, deed)
			require.Len(t, good.sent(), 1)
			require.Len(t, bad.sent(), c.times)
			for _, m := range bad.sent() {
				require.Equal(t, bad.sent()[0].header.Get("webhook-id"), m.header.Get("webhook-id"), "one event")
			}
			require.Empty(t, elsewhere.sent())
			if c.says == "" {
				require.Empty(t, s.said)
				return
			}
			require.Len(t, s.said, 1)
			where := strings.TrimPrefix(bad.URL, "http://")
			require.Contains(t, s.said[0], "telling a: "+where+" was not told of 1 of 1 events: "+c.says)
			s.hides(t, path)
		})
	}
}

// hides checks that nothing that was said has a secret, or a text, in it.
func (s *site) hides(t *testing.T, texts ...string) {
	for _, text := range append(texts, signingKey, strings.TrimPrefix(signingKey, "whsec_"), "\x1b") {
		require.NotContains(t, strings.Join(s.said, "\n"), text)
	}
}

// answered counts the answers of a host.
type answered struct {
	host string
	all  chan struct{} // one for each answer that the client has
}

func (a answered) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && r.URL.Host == a.host {
		a.all <- struct{}{}
	}
	return answer, err
}

// A receiver that never answers is given up, and the others are told meanwhile.
func TestAReceiverThatHangs(t *testing.T) {
	asked, ended := make(chan struct{}), make(chan struct{})
	slow := newReceiver(t, func(_ http.ResponseWriter, r *http.Request, before int) {
		if before == 0 {
			close(asked)
		}
		select {
		case <-r.Context().Done():
		case <-ended:
		}
	})
	defer close(ended)
	good := newReceiver(t, takes)
	s := newSite(t, slow.URL, good.URL)
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	told := answered{host: strings.TrimPrefix(good.URL, "http://"), all: make(chan struct{})}
	client.Transport = told
	defer func() { client.Transport = nil }()
	go func() { // the time is over when only the slow one is left
		for range 3 {
			<-told.all
		}
		<-asked
		cancel()
	}()
	Write(ctx, s.n, deed, deed, deed)
	require.Len(t, good.sent(), 3)
	require.Len(t, slow.sent(), 1)
	require.Len(t, s.said, 1)
	require.Contains(t, s.said[0], "was not told of 3 of 3 events")
	s.hides(t)
	entries, err := ledger.Entries(t.Context(), s.n)
	require.NoError(t, err)
	require.Len(t, entries, 3)
}

// Keys that are missing, or are none, send nothing, and are not shown.
func TestKeysThatAreNone(t *testing.T) {
	for name, c := range map[string]struct{ key, says string }{
		"none":       {"", "telling a: entry a of Secret tagline-events is no key"},
		"short":      {"whsec_c2hvcnQ=", "write whsec_ and 24 bytes or more"},
		"no base64":  {"whsec_" + strings.Repeat("s3cr-t!", 9), "it is not base64"},
		"no Secret":  {"-", "telling of it: nobody was told: namespace bl01t-keys has no Secret tagline-events"},
		"whole lost": {"whsec_", "is no key"},
	} {
		t.Run(name, func(t *testing.T) {
			rec := newReceiver(t, takes)
			s := newSite(t, rec.URL)
			secrets := s.n.Client.CoreV1().Secrets(KeysOf("bl01t"))
			require.NoError(t, secrets.Delete(t.Context(), SecretName, metav1.DeleteOptions{}))
			if c.key != "-" {
				_, err := secrets.Create(t.Context(), &corev1.Secret{
					ObjectMeta: metav1.ObjectMeta{Name: SecretName}, Data: map[string][]byte{"a": []byte(c.key)},
				}, metav1.CreateOptions{})
				require.NoError(t, err)
			}
			Write(s.ctx, s.n, deed)
			require.Empty(t, rec.sent())
			require.Len(t, s.said, 1)
			require.Contains(t, s.said[0], c.says)
			require.NotContains(t, s.said[0], "s3cr-t")
		})
	}
}

// A key that everybody can read who looks at the beamline signs nothing, and what is said
// tells where it belongs. Both are so for who may not ask for Secrets where it belongs.
func TestAKeyThatAllWhoLookCanRead(t *testing.T) {
	for name, refused := range map[string]bool{"no key where it belongs": false, "no right to it": true} {
		t.Run(name, func(t *testing.T) {
			rec := newReceiver(t, takes)
			s := newSite(t, rec.URL)
			client := s.n.Client.(*fake.Clientset)
			keys := client.CoreV1().Secrets("bl01t-keys")
			key, err := keys.Get(t.Context(), SecretName, metav1.GetOptions{})
			require.NoError(t, err)
			require.NoError(t, keys.Delete(t.Context(), SecretName, metav1.DeleteOptions{}))
			key.Namespace = ""
			_, err = client.CoreV1().Secrets("bl01t").Create(t.Context(), key, metav1.CreateOptions{})
			require.NoError(t, err)
			client.PrependReactor("get", "secrets", func(a clienttest.Action) (bool, runtime.Object, error) {
				no := apierrors.NewForbidden(a.GetResource().GroupResource(), "", nil)
				return refused && a.GetNamespace() == "bl01t-keys", nil, no
			})
			Write(s.ctx, s.n, deed)
			require.Empty(t, rec.sent())
			require.Len(t, s.said, 1)
			require.Contains(t, s.said[0], "whoever looks at namespace bl01t can read its Secret tagline-events; "+
				"make a new key for each receiver in namespace bl01t-keys, and delete the Secret of namespace bl01t")
			s.hides(t)
		})
	}
}

// Without receivers, and without a policy, there is nothing to say and no key to read.
func TestNobodyToTell(t *testing.T) {
	for name, policy := range map[string]string{"no receivers": "unsigned: a beamline of a test\n", "no policy": ""} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			client := fake.NewClientset()
			s.n.Client = client
			if policy != "" {
				require.NoError(t, ledger.SavePolicy(t.Context(), s.n, policy))
			}
			Write(s.ctx, s.n, deed)
			require.Empty(t, s.said)
			for _, action := range client.Actions() {
				require.NotEqual(t, "secrets", action.GetResource().Resource)
			}
		})
	}
}
