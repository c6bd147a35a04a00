package registry

import (
	"errors"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/registry/registrytest"
)

// Two runners release one tag with other content at the same moment, many
// times, through a registry whose answers come in any order.
func TestOfTwoReleasersOneSeals(t *testing.T) {
	rounds := 6
	if testing.Short() {
		rounds = 1
	}
	for range rounds {
		host := registrytest.Serve(t, func(h http.Handler) http.Handler {
			return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
				time.Sleep(rand.N(5 * time.Millisecond))
				h.ServeHTTP(w, req)
			})
		})
		image := pushImage(t, host)
		digests, faults := [2]asset.Digest{}, [2]error{}
		var both sync.WaitGroup
		for i, what := range []string{"1", "2"} {
			r := open(t, host, Options{})
			r.settle = time.Second
			both.Go(func() { _, digests[i], faults[i] = release(t.Context(), r, image, packaged(t, "bl01t-a", what)) })
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
		r := open(t, host, Options{})
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
