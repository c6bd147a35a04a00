package registry

import (
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/registry/registrytest"
)

func TestAttachmentsAreFoundByKind(t *testing.T) {
	for name, host := range map[string]string{
		"referrers API": registrytest.Serve(t, nil), "fallback tag": serveDistribution(t),
	} {
		t.Run(name, func(t *testing.T) {
			r, image := open(t, host, Options{}), pushImage(t, host)
			found, err := r.Attached(t.Context(), image, "a/b", "sbom")
			require.NoError(t, err)
			require.Empty(t, found)
			for _, a := range []Attachment{
				{"a/b", "sbom", []byte("1")}, {"a/b", "other", []byte("2")}, {"c/d", "sbom", []byte("3")},
				{"a/b", "sbom", []byte("4")},
			} {
				require.NoError(t, r.Attach(t.Context(), image, a))
			}
			found, err = r.Attached(t.Context(), image, "a/b", "sbom")
			require.NoError(t, err)
			require.ElementsMatch(t, [][]byte{[]byte("1"), []byte("4")}, found)
			require.ErrorIs(
				t,
				r.Attach(t.Context(), image[:len(image)-4]+"0000", Attachment{"a/b", "x", nil}),
				ErrNotFound,
			)
		})
	}
}

// Who may write to a registry can't fill the memory of who reads from it: neither with
// many attachments nor with large ones.
func TestAttachmentsAreBounded(t *testing.T) {
	offered := 0 // attachments in the registry's list, beside those that are there
	host := registrytest.Serve(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if offered == 0 || !strings.Contains(req.URL.Path, "/referrers/") {
				h.ServeHTTP(w, req)
				return
			}
			one := `{"mediaType":"application/vnd.oci.image.manifest.v1+json","size":1,"digest":"sha256:` +
				strings.Repeat("a", 64) + `"}`
			w.Header().Set("Content-Type", "application/vnd.oci.image.index.v1+json")
			_, _ = w.Write([]byte(`{"schemaVersion":2,"manifests":[` + strings.Repeat(one+",", offered-1) + one + `]}`))
		})
	})
	r, image := open(t, host, Options{}), pushImage(t, host)
	refused := func(says string) {
		t.Helper()
		_, err := r.Attached(t.Context(), image, "a/b", "sbom")
		require.ErrorContains(t, err, says)
		require.ErrorContains(t, err, string(image))
		require.ErrorContains(t, err, "delete those from the registry")
		require.Equal(t, diag.Refused, diag.KindOf(err))
	}
	offered = maxAttached + 1
	refused("the registry offers 1001 attachments of it, and 1000 at most are looked at")
	offered = 0
	// as much as is read, in two parts; then one byte more
	for _, size := range []int{maxAttachedBytes / 2, maxAttachedBytes/2 - 1, 1} {
		require.NoError(t, r.Attach(t.Context(), image, Attachment{"a/b", "sbom", make([]byte, size)}))
	}
	require.NoError(t, r.Attach(t.Context(), image, Attachment{"a/b", "other", []byte("of another kind")}))
	found, err := r.Attached(t.Context(), image, "a/b", "sbom")
	require.NoError(t, err)
	require.Len(t, found, 3)
	require.NoError(t, r.Attach(t.Context(), image, Attachment{"a/b", "sbom", []byte("ab")}))
	refused("its attachments of kind sbom have more than the 67108864 bytes that are read: sha256:")
}

func TestIntactReadsEveryBlob(t *testing.T) {
	bad := ""
	host := registrytest.Serve(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
			if bad != "" && strings.HasSuffix(req.URL.Path, "/blobs/"+bad) && req.Method == http.MethodGet {
				w.Write([]byte("not what was pushed"))
				return
			}
			h.ServeHTTP(w, req)
		})
	})
	image := pushImage(t, host)
	r := open(t, host, Options{})
	n, err := r.Intact(t.Context(), image)
	require.NoError(t, err)
	require.Positive(t, n)
	for _, digest := range blobs(t, image) {
		bad = digest
		_, err = open(t, host, Options{}).Intact(t.Context(), image)
		require.Error(t, err, digest)
	}
	bad = ""
	_, err = r.Intact(t.Context(), image[:len(image)-4]+"0000")
	require.ErrorIs(t, err, ErrNotFound)
}

// blobs returns the digests of an image's config and layers.
func blobs(t testing.TB, ref asset.Ref) []string {
	d, err := name.NewDigest(string(ref))
	require.NoError(t, err)
	img, err := remote.Image(d)
	require.NoError(t, err)
	m, err := img.Manifest()
	require.NoError(t, err)
	list := []string{m.Config.Digest.String()}
	for _, l := range m.Layers {
		list = append(list, l.Digest.String())
	}
	return list
}
