package registry

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/validate"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry/registrytest"
)

// flaky is a registry that lets trouble happen to the n-th request from when it
// was armed.
type flaky struct {
	inner   http.Handler
	n, seen atomic.Int64
	trouble atomic.Pointer[trouble]
}

// trouble answers a request instead of the registry, or lets it through. first
// tells the n-th request from those after it.
type trouble func(w http.ResponseWriter, req *http.Request, inner http.Handler, first bool)

func (f *flaky) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	seen, n, t := f.seen.Add(1), f.n.Load(), f.trouble.Load()
	if t == nil || seen < n {
		f.inner.ServeHTTP(w, req)
		return
	}
	(*t)(w, req, f.inner, seen == n)
}

func (f *flaky) arm(n int64, t trouble) {
	f.seen.Store(0)
	f.n.Store(n)
	f.trouble.Store(&t)
}

func (f *flaky) heal() { f.trouble.Store(nil) }

func drop(w http.ResponseWriter, _ *http.Request, _ http.Handler, _ bool) {
	c, _, _ := w.(http.Hijacker).Hijack()
	c.Close()
}

// truncate lets half of the body arrive, then the connection is lost.
func truncate(w http.ResponseWriter, req *http.Request, inner http.Handler, first bool) {
	if !first {
		inner.ServeHTTP(w, req)
		return
	}
	body, _ := io.ReadAll(req.Body)
	req.Body = io.NopCloser(io.MultiReader(strings.NewReader(string(body[:len(body)/2])), broken{}))
	inner.ServeHTTP(httptest.NewRecorder(), req)
	drop(w, req, inner, first)
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// once answers with a status, then all is well.
func once(status int, header, value string) trouble {
	return func(w http.ResponseWriter, req *http.Request, inner http.Handler, first bool) {
		if !first {
			inner.ServeHTTP(w, req)
			return
		}
		w.Header().Set(header, value)
		w.WriteHeader(status)
	}
}

// always answers with a status from then on.
func always(status int) trouble {
	return func(w http.ResponseWriter, req *http.Request, _ http.Handler, _ bool) { w.WriteHeader(status) }
}

// site is a registry with trouble, and what is to be released to it.
type site struct {
	*flaky
	host   string
	image  asset.Ref
	charts [][]byte
}

func newSite(t testing.TB) *site {
	s := &site{}
	s.host = registrytest.Serve(t, func(h http.Handler) http.Handler {
		s.flaky = &flaky{inner: h}
		return s.flaky
	})
	s.image = pushImage(t, s.host)
	s.charts = [][]byte{packaged(t, "bl01t-a", "1"), packaged(t, "bl01t-b", "1")}
	return s
}

// complete sees that a record which can be read names only what can be pulled.
func (s *site) complete(t testing.TB) (sealed bool) {
	r := open(t, s.host, Options{})
	rec, _, err := r.Record(context.Background(), "bl01t", parse(t, "2026.11.1"))
	if err != nil {
		require.ErrorIs(t, err, ErrNotFound)
		return false
	}
	for _, ref := range append(r.named(rec), refs(rec)...) {
		parsed, err := name.ParseReference(string(ref))
		require.NoError(t, err)
		img, err := remote.Image(parsed)
		require.NoError(t, err, ref)
		require.NoError(t, validate.Image(img, validate.Fast), ref)
		layers, err := img.Layers()
		require.NoError(t, err)
		for _, l := range layers {
			b, err := l.Compressed()
			require.NoError(t, err)
			_, err = io.Copy(io.Discard, b)
			require.NoError(t, err)
		}
	}
	return true
}

func refs(rec *record.Record) (list []asset.Ref) {
	for _, a := range rec.Artifacts {
		list = append(list, a.Ref)
	}
	return list
}

// stride is how far apart the requests are that are disturbed: all of them,
// unless the tests are to be short.
func stride() int64 {
	if testing.Short() {
		return 11
	}
	return 1
}

// requests is how many requests an untroubled release makes.
func requests(t testing.TB) int64 {
	s := newSite(t)
	s.seen.Store(0)
	_, _, err := release(t.Context(), open(t, s.host, Options{}), s.image, s.charts...)
	require.NoError(t, err)
	return s.seen.Load()
}

func TestRegistryThatDiesLeavesNoRecordOfWhatIsNotThere(t *testing.T) {
	last := requests(t)
	for name, trouble := range map[string]trouble{
		"dies": drop, "fails": always(http.StatusInternalServerError),
		"credentials expire": always(http.StatusUnauthorized),
	} {
		for n := int64(1); n <= last; n += stride() {
			s := newSite(t)
			s.arm(n, trouble)
			_, _, err := release(t.Context(), open(t, s.host, Options{}), s.image, s.charts...)
			if s.seen.Load() < n { // the first requests side by side may be one fewer
				require.NoError(t, err)
				require.Greater(t, n, last-jobs)
				continue
			}
			s.heal()
			require.Error(t, err, "%s at request %d of %d", name, n, last)
			require.Equal(t, diag.Broken, diag.KindOf(err), err)
			s.complete(t)
			_, _, err = release(t.Context(), open(t, s.host, Options{}), s.image, s.charts...)
			require.NoError(t, err, "a rerun after %s at request %d", name, n)
			require.True(t, s.complete(t))
		}
	}
}

func TestPassingTroubleIsOvercome(t *testing.T) {
	last := requests(t)
	for name, trouble := range map[string]trouble{
		"lost connection": func(w http.ResponseWriter, req *http.Request, inner http.Handler, first bool) {
			if first {
				drop(w, req, inner, first)
			} else {
				inner.ServeHTTP(w, req)
			}
		},
		"truncated upload": truncate, "bad gateway": once(http.StatusBadGateway, "", ""),
		"too many requests": once(http.StatusTooManyRequests, "Retry-After", "0"),
	} {
		for n := int64(1); n <= last; n += stride() {
			s := newSite(t)
			s.arm(n, trouble)
			_, _, err := release(t.Context(), open(t, s.host, Options{}), s.image, s.charts...)
			s.heal()
			require.NoError(t, err, "%s at request %d of %d", name, n, last)
			require.True(t, s.complete(t))
		}
	}
}

func TestWhatIsThereIsNotPushedAgain(t *testing.T) {
	s := newSite(t)
	_, _, err := release(t.Context(), open(t, s.host, Options{}), s.image, s.charts...)
	require.NoError(t, err)
	s.arm(1, func(w http.ResponseWriter, req *http.Request, inner http.Handler, _ bool) {
		if req.Method != http.MethodGet && req.Method != http.MethodHead {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		inner.ServeHTTP(w, req)
	})
	_, _, err = release(t.Context(), open(t, s.host, Options{}), s.image, s.charts...)
	require.NoError(t, err)
}

func TestErrorsSayWhatToDoAndNoSecret(t *testing.T) {
	for status, want := range map[int]string{
		http.StatusUnauthorized: "docker login 127.0.0.1", http.StatusForbidden: "may write here",
		http.StatusTooManyRequests: "wait a while", http.StatusTeapot: "run it again",
	} {
		s := newSite(t)
		s.arm(1, func(w http.ResponseWriter, req *http.Request, _ http.Handler, _ bool) {
			if req.URL.Path == "/v2/" {
				w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			if req.Method == http.MethodHead { // whose answer can say nothing
				w.WriteHeader(http.StatusNotFound)
				return
			}
			w.WriteHeader(status)
			_, password, _ := req.BasicAuth()
			fmt.Fprintf(w, "no %s for you, %s", password, req.Header.Get("Authorization"))
		})
		_, err := open(t, s.host, Options{Username: "me", Password: "hunter2"}).PushChart(t.Context(), s.charts[0])
		require.ErrorContains(t, err, want)
		require.ErrorContains(t, err, "no *** for you, Basic ***")
		require.NotContains(t, err.Error(), "hunter2")
	}
}

// A part that is gone is told with the registry's answer too.
func TestWhatIsGoneIsToldWithoutASecret(t *testing.T) {
	gone := false
	host := registrytest.Serve(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			_, password, ok := req.BasicAuth()
			switch {
			case !ok && gone:
				w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
				w.WriteHeader(http.StatusUnauthorized)
			case gone && strings.Contains(req.URL.Path, "/blobs/"):
				w.WriteHeader(http.StatusNotFound)
				fmt.Fprintf(w, "%s finds nothing", password)
			default:
				h.ServeHTTP(w, req)
			}
		})
	})
	image := pushImage(t, host)
	gone = true
	_, err := open(t, host, Options{Username: "me", Password: "hunter2"}).Intact(t.Context(), image)
	require.ErrorIs(t, err, ErrNotFound)
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.ErrorContains(t, err, "*** finds nothing; "+restore)
	require.NotContains(t, err.Error(), "hunter2")
}

func TestCancelledRunEndsAtOnce(t *testing.T) {
	s := newSite(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.arm(5, func(w http.ResponseWriter, req *http.Request, _ http.Handler, _ bool) {
		cancel()
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
	})
	_, _, err := release(ctx, open(t, s.host, Options{}), s.image, s.charts...)
	require.ErrorIs(t, err, context.Canceled)
	require.ErrorContains(t, err, "run it again to finish")
	s.heal()
	require.False(t, s.complete(t))
}
