package registry

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/registry/registrytest"
)

// inMemory is a registry that is reached without a network.
type inMemory struct{ http.Handler }

func (m inMemory) RoundTrip(req *http.Request) (*http.Response, error) {
	asked := req.Clone(req.Context())
	if asked.Body == nil {
		asked.Body = http.NoBody
	}
	defer asked.Body.Close()
	answer := httptest.NewRecorder()
	m.ServeHTTP(answer, asked)
	res := answer.Result()
	res.Request = req
	return res, nil
}

// Two runners release one tag with other content at the same moment, many
// times, through a registry whose answers come in any order.
func TestOfTwoReleasersOneSeals(t *testing.T) {
	for range 20 {
		synctest.Test(t, twoReleasers)
	}
}

func twoReleasers(t *testing.T) {
	const host = "127.0.0.1:5000"
	inner := registrytest.Handler()
	site := Options{HTTP: inMemory{http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		time.Sleep(rand.N(5 * time.Millisecond))
		inner.ServeHTTP(w, req)
	})}}
	image, err := open(t, host, site).push(t.Context(), host+"/ioc-simstage-runtime", empty.Image)
	require.NoError(t, err)
	ref := asset.Ref(host + "/ioc-simstage-runtime@" + string(image))
	digests, faults := [2]asset.Digest{}, [2]error{}
	var both sync.WaitGroup
	for i, what := range []string{"1", "2"} {
		r := open(t, host, site)
		r.settle = time.Second
		both.Go(func() { _, digests[i], faults[i] = release(t.Context(), r, ref, packaged(t, "bl01t-a", what)) })
	}
	both.Wait()

	won := 0
	if faults[0] != nil {
		won = 1
	}
	require.NoError(t, faults[won], "one must seal: %v", errors.Join(faults[:]...))
	require.Error(t, faults[1-won], "only one may seal")
	require.Equal(t, diag.Refused, diag.KindOf(faults[1-won]), faults[1-won])
	require.ErrorContains(t, faults[1-won], string(digests[won]))
	r := open(t, host, site)
	rec, digest, err := r.Record(t.Context(), "bl01t", parse(t, "2026.11.1"))
	require.NoError(t, err)
	require.Equal(t, digests[won], digest)
	at, err := r.Digest(t.Context(), rec.Artifacts[0].Ref)
	require.NoError(t, err)
	require.Equal(t, rec.Artifacts[0].Digest, at, "the tags are those of the one that sealed")
	versions, err := r.Records(t.Context(), "bl01t")
	require.NoError(t, err)
	require.Len(t, versions, 1, "claims are no releases")
}

func TestTwoReleasersOfTheSameContentBothSeal(t *testing.T) {
	host := registrytest.Serve(t, nil)
	image := pushImage(t, host)
	faults := [2]error{}
	var both sync.WaitGroup
	for i := range faults {
		both.Go(func() {
			_, _, faults[i] = release(t.Context(), open(t, host, Options{}), image, packaged(t, "bl01t-a", "1"))
		})
	}
	both.Wait()
	require.NoError(t, errors.Join(faults[:]...))
}

// A run that died before it sealed, and had pushed other content.
func TestUnfinishedReleaseOfOtherContentIsTakenOver(t *testing.T) {
	s := newSite(t)
	s.arm(1, func(w http.ResponseWriter, req *http.Request, inner http.Handler, first bool) {
		if req.Method == http.MethodPut && req.URL.Path == "/v2/records/bl01t/manifests/2026.11.1" {
			drop(w, req, inner, first)
			return
		}
		inner.ServeHTTP(w, req)
	})
	_, _, err := release(
		t.Context(),
		open(t, s.host, Options{}),
		s.image,
		packaged(t, "bl01t-a", "1"),
		packaged(t, "bl01t-b", "1"),
	)
	require.Error(t, err)
	s.heal()
	rec, digest, err := release(
		t.Context(),
		open(t, s.host, Options{}),
		s.image,
		packaged(t, "bl01t-a", "2"),
		packaged(t, "bl01t-b", "2"),
	)
	require.NoError(t, err)
	require.NotEmpty(t, digest)
	require.True(t, s.complete(t))
	for _, a := range rec.Artifacts {
		at, err := open(t, s.host, Options{}).Digest(t.Context(), a.Ref)
		require.NoError(t, err)
		require.Equal(t, a.Digest, at)
	}
}

func TestRivals(t *testing.T) {
	tags := []string{
		"1.0.0",
		"claim-1.0.0-0000000000000001",
		"claim-1.0.0-0000000000000002",
		"claim-1.0.0-0000000000000003",
		"claim-1.0.0-b1-0000000000000000",
		"claim-1x0.0-0000000000000000",
		"sha256-" + "00",
	}
	all, before := rivals(tags, "1.0.0", "claim-1.0.0-0000000000000002")
	require.Equal(t, 2, all)
	require.Equal(t, 1, before)
}
