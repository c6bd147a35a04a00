package registry

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/distribution/distribution/v3/registry/handlers"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// slow is a registry that takes its time before each answer and reads what it
// is sent in drops. At the n-th request it says nothing more.
type slow struct {
	flaky
	drop time.Duration // for each 32 KiB
}

func serveSlow(t *testing.T) (*slow, string) {
	s := &slow{
		flaky: flaky{inner: handlers.NewApp(context.Background(), distributionAt(t.TempDir()))},
		drop:  5 * time.Millisecond,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		time.Sleep(s.drop)
		req.Body = io.NopCloser(&drops{req.Body, s.drop})
		s.flaky.ServeHTTP(w, req)
	}))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	t.Cleanup(server.CloseClientConnections) // it may still be silent
	return s, strings.TrimPrefix(server.URL, "http://")
}

type drops struct {
	io.Reader
	each time.Duration
}

func (d *drops) Read(p []byte) (int, error) {
	time.Sleep(d.each)
	return d.Reader.Read(p[:min(len(p), 32<<10)])
}

// silence says nothing until who asked goes away.
func silence(_ http.ResponseWriter, req *http.Request, _ http.Handler, _ bool) {
	<-req.Context().Done()
}

// halfSilence says half of what there is to say, then nothing.
func halfSilence(w http.ResponseWriter, req *http.Request, inner http.Handler, _ bool) {
	answer := httptest.NewRecorder()
	inner.ServeHTTP(answer, req)
	for name, values := range answer.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(answer.Code)
	w.Write(answer.Body.Bytes()[:answer.Body.Len()/2])
	w.(http.Flusher).Flush()
	<-req.Context().Done()
}

// impatient returns a registry that waits for no more than so long.
func impatient(t *testing.T, host string, stall time.Duration) *Registry {
	r := open(t, host, Options{})
	r.stall = stall
	require.NoError(t, r.connect(Options{}, remote.Backoff{Duration: time.Millisecond, Factor: 1, Steps: 2}))
	return r
}

// TestSlowRegistryIsWaitedFor: an upload takes longer than the time in which
// something must move, and goes on because it does.
func TestSlowRegistryIsWaitedFor(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	s, host := serveSlow(t)
	s.drop = 8 * time.Millisecond
	r := impatient(t, host, 2*time.Second)
	img, err := random.Image(16<<20, 1)
	require.NoError(t, err)
	began := time.Now()
	_, err = r.push(t.Context(), host+"/large", img)
	require.NoError(t, err)
	require.Greater(t, time.Since(began), r.stall, "it was not slow enough to tell")
	require.NoError(t, releaseTo(t, r))
}

// TestSilentRegistryIsGivenUp: from the n-th request on, nothing comes, or half
// of it; the release ends with one error, and a later run finishes it.
func TestSilentRegistryIsGivenUp(t *testing.T) {
	for _, trouble := range []trouble{silence, halfSilence} {
		for _, n := range []int64{1, 5, 9, 20} {
			s, host := serveSlow(t)
			s.drop = 0
			s.arm(n, trouble)
			err := releaseTo(t, impatient(t, host, 50*time.Millisecond))
			require.Equal(t, diag.Broken, diag.KindOf(err))
			require.ErrorContains(t, err, "see that "+host+" can be reached, then run it again to finish")
			s.heal()
			require.NoError(t, releaseTo(t, impatient(t, host, time.Minute)))
		}
	}
}

// TestSilenceIsToldWhenReading: a record of which half comes is not waited for.
func TestSilenceIsToldWhenReading(t *testing.T) {
	s, host := serveSlow(t)
	require.NoError(t, releaseTo(t, impatient(t, host, time.Minute)))
	s.arm(3, halfSilence)
	_, _, err := impatient(t, host, 50*time.Millisecond).Record(t.Context(), "bl01t", parse(t, "2026.11.1"))
	require.ErrorContains(t, err, "nothing moved for 50ms")
}
