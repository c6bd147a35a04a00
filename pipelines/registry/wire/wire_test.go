package wire

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for header, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, "-3": 0, "soon": 0, "86400": maxWait, "99999999999999999999": 0,
		"Mon, 23 Nov 2026 12:00:05 GMT": 5 * time.Second, "Mon, 23 Nov 2026 11:00:00 GMT": 0,
	} {
		require.Equal(t, want, retryAfter(header, now), header)
	}
}

// ask sends one request through a transport and returns the answer's body.
func ask(t *testing.T, via http.RoundTripper, method, url, body string) (string, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	res, err := via.RoundTrip(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	return string(text), err
}

// TestSilence: a server that sends nothing, or half of its answer, is left with
// an error that go-containerregistry takes as one that may pass.
func TestSilence(t *testing.T) {
	for _, before := range []string{"", "half of it"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			io.WriteString(w, before)
			if before != "" {
				w.(http.Flusher).Flush()
			}
			<-req.Context().Done()
		}))
		_, err := ask(t, New(http.DefaultTransport, 20*time.Millisecond), http.MethodGet, server.URL, "")
		server.CloseClientConnections()
		server.Close()
		require.EqualError(t, err, "nothing moved for 20ms")
		var passing interface{ Temporary() bool }
		require.True(t, errors.As(err, &passing) && passing.Temporary())
	}
}

// TestHelloIsAskedOnce: how to log in is asked once, and the answer is the same
// for each who asks.
func TestHelloIsAskedOnce(t *testing.T) {
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked++
		w.Header().Set("WWW-Authenticate", "Bearer realm=x")
		w.WriteHeader(http.StatusUnauthorized)
	}))
	t.Cleanup(server.Close)
	via := New(http.DefaultTransport, time.Minute)
	for range 3 {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/v2/", nil)
		require.NoError(t, err)
		res, err := via.RoundTrip(req)
		require.NoError(t, err)
		require.Equal(t, http.StatusUnauthorized, res.StatusCode)
		require.Equal(t, "Bearer realm=x", res.Header.Get("WWW-Authenticate"))
		res.Header.Set("WWW-Authenticate", "changed by a caller")
	}
	require.Equal(t, 1, asked)
}

// TestBodyIsSentWhole: a body that was partly read is sent from its beginning.
func TestBodyIsSentWhole(t *testing.T) {
	server := httptest.NewServer(
		http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) { io.Copy(w, req.Body) }),
	)
	t.Cleanup(server.Close)
	req, err := http.NewRequestWithContext(
		t.Context(),
		http.MethodPut,
		server.URL,
		strings.NewReader("the whole of it"),
	)
	require.NoError(t, err)
	_, err = req.Body.Read(make([]byte, 6))
	require.NoError(t, err)
	res, err := New(http.DefaultTransport, time.Minute).RoundTrip(req)
	require.NoError(t, err)
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, "the whole of it", string(text))
}

// TestPlainHTTPIsTriedOnce: after one TLS handshake that met plain HTTP, no
// further one is tried.
func TestPlainHTTPIsTriedOnce(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	via := New(http.DefaultTransport, time.Minute)
	https := strings.Replace(server.URL, "http:", "https:", 1)
	_, first := ask(t, via, http.MethodGet, https, "")
	require.Error(t, first)
	server.Close()
	_, second := ask(t, via, http.MethodGet, https, "")
	require.Equal(t, first, second, "the server was asked again")
}

// TestSleep: a wait ends with its context.
func TestSleep(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, Sleep(ctx, 0))
	cancel()
	require.ErrorIs(t, Sleep(ctx, time.Hour), context.Canceled)
}
