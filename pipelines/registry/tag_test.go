package registry

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry/registrytest"
)

// The tag of a folder follows what was made last, and a folder that is made again is
// the same.
func TestATagFollowsTheFolder(t *testing.T) {
	r, v := open(t, registrytest.Serve(t, nil), Options{}), parse(t, "2026.11.1")
	var last asset.Ref
	for n, text := range []string{"1", "2", "2"} {
		folder, err := r.PushFolder(t.Context(), "manifests/bl01t", v, map[string][]byte{"a.yaml": []byte(text)}, nil)
		require.NoError(t, err)
		ref := folder.Pinned()
		require.NoError(t, r.TagFolder(t.Context(), folder))
		require.Equal(t, n == 2, ref == last, "push %d", n)
		there, err := r.Digest(t.Context(), r.Ref("manifests/bl01t", v))
		require.NoError(t, err)
		require.Equal(t, ref.Digest(), there, "push %d", n)
		last = ref
	}
}

// In a registry the last writer wins: who reads another digest back than was written
// is told of both. A digest that is not there can't be tagged.
func TestATagThatAnotherWritesIsSeen(t *testing.T) {
	var written atomic.Bool
	host := registrytest.Serve(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			ours := strings.HasSuffix(req.URL.Path, "/manifests/1.0.0")
			if ours && written.Load() {
				req.URL.Path = strings.Replace(req.URL.Path, "1.0.0", "theirs", 1)
			}
			if ours && req.Method == http.MethodPut {
				written.Store(true)
			}
			h.ServeHTTP(w, req)
		})
	})
	r, ours, theirs := open(t, host, Options{}), pushImage(t, host), pushImage(t, host)
	at := r.prefix + "/ioc-simstage-runtime"
	require.NoError(t, r.writeTag(t.Context(), asset.Ref(at+":theirs"), theirs))
	err := r.tag(t.Context(), record.Artifact{Ref: asset.Ref(at + ":1.0.0"), Digest: ours.Digest()})
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.ErrorContains(t, err, "it is "+string(theirs.Digest())+", ours is "+string(ours.Digest()))

	none := asset.Ref(at + "@sha256:" + strings.Repeat("0", 64))
	require.ErrorIs(t, r.writeTag(t.Context(), asset.Ref(at+":2.0.0"), none), ErrNotFound)
	for _, bad := range [][2]asset.Ref{{"a b:1", ours}, {asset.Ref(at + ":1.0.0"), asset.Ref(at + ":1")}} {
		require.ErrorContains(t, r.writeTag(t.Context(), bad[0], bad[1]), "write host/path/name:tag")
	}
}

// Each scheme has its own order.
func TestNewestFirst(t *testing.T) {
	var list []asset.Version
	for _, text := range []string{"1.9.0", "2026.10.1", "1.10.0", "2026.9.2", "1.10.0-beta.1"} {
		list = append(list, parse(t, text))
	}
	var got []string
	for _, v := range newestFirst(list) {
		got = append(got, v.String())
	}
	require.Equal(t, []string{"1.10.0", "1.10.0-beta.1", "1.9.0", "2026.10.1", "2026.9.2"}, got)
}

// What a record names elsewhere is not fetched, and gets no password.
func TestNothingElsewhereIsOpened(t *testing.T) {
	host := registrytest.Serve(t, nil)
	r, image := open(t, host+"/site", Options{}), pushImage(t, host)
	_, err := r.Attached(t.Context(), image, "a/b", "sbom")
	require.Equal(t, diag.Refused, diag.KindOf(err))
	_, err = r.Intact(t.Context(), image)
	require.ErrorContains(t, err, "it is not in the registry "+host+"/site; name the registry that it was released to")
}
