package main

import (
	"math/rand/v2"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"

	"github.com/tagline-ci/tagline/ci/fleet"
	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/record"
	releases "github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/registry/registrytest"
)

// What is promoted is the version that does not run, so that something changes; after a
// rollback a promotion is given, as a second rollback would undo the first.
func TestWhatIsDrawnChangesSomething(t *testing.T) {
	kinds := map[string]int{}
	for seed := range uint64(100) {
		b := testTrial(t, "")
		if rand.New(rand.NewPCG(seed, 0)).IntN(10) < 3 {
			continue // a release, which tags a commit
		}
		for running, other := range map[string]string{fleet.First: fleet.Second, fleet.Second: fleet.First} {
			b.rng, b.version = rand.New(rand.NewPCG(seed, 0)), running
			w, err := b.next()
			require.NoError(t, err)
			kinds[w.kind]++
			assert.Equal(t, b.Promotion(other), w.again)
			assert.Empty(t, w.version)
			if w.kind == "rollback" {
				assert.Equal(t, []string{"rollback", "faults"}, w.line)
			} else {
				assert.Equal(t, w.again, w.line)
			}
		}
	}
	assert.Greater(t, kinds["promotion"], kinds["rollback"])
	assert.Positive(t, kinds["rollback"])
}

// Each fault says of which part it is and how that fails, and no two are one.
func TestFaultsAreTold(t *testing.T) {
	seen := map[string]bool{}
	for _, f := range faults {
		assert.False(t, seen[f.String()], f.String())
		seen[f.String()] = true
		assert.Equal(t, f.how == cut, f.port != nil, "%s: a network is cut at a port", f)
		assert.Equal(t, f.part != "the command" && f.how != cut, f.pid != nil, "%s: a part is found", f)
		assert.Equal(t, f.how != killed && f.how != interrupted, f.how.lasts(), f.String())
		assert.False(t, f.part == "engine" && f.how == killed, "an engine that is killed loses its cache")
	}
	assert.Equal(t, "etcd frozen", fault{part: "etcd", how: frozen}.String())
}

func TestWhereTheNetworkIsCut(t *testing.T) {
	b := testTrial(t, "")
	b.Registry = "10.87.0.1:5000/faults/0123"
	b.Namespace = &cluster.Namespace{Config: &rest.Config{Host: "https://127.0.0.1:6443"}}
	for want, find := range map[uint16]func(*trial) string{5000: shelf, 6443: apiServer} {
		port, err := server(find)(b)
		require.NoError(t, err)
		assert.Equal(t, want, port)
	}
	for _, address := range []string{"https://example.org", "http://[::1", "http://example.org:99999"} {
		_, err := server(func(*trial) string { return address })(b)
		assert.Error(t, err, address)
	}
	_, err := server(func(*trial) string { return "https://example.org" })(b)
	assert.ErrorContains(t, err, "https://example.org has no port")
}

func TestTheLastLineOfACommand(t *testing.T) {
	for text, want := range map[string]string{"": "", "a": "a", "a\nb\n": "b", "a\n  b\n\n": "  b"} {
		assert.Equal(t, want, last(text), "%q", text)
	}
}

// A release whose record is there and whose content is not is half published.
func TestAReleaseThatLostSomethingIsHalfPublished(t *testing.T) {
	img, err := random.Image(16, 1)
	require.NoError(t, err)
	digest, err := img.Digest()
	require.NoError(t, err)
	var lost atomic.Bool
	host := registrytest.Serve(t, func(h http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if lost.Load() && strings.HasSuffix(r.URL.Path, digest.String()) {
				http.NotFound(w, r)
				return
			}
			h.ServeHTTP(w, r)
		})
	})
	b := testTrial(t, "")
	b.registry, err = releases.New(host+"/faults", releases.Options{})
	require.NoError(t, err)
	pin := assettest.Pin("faults 2026.2.1")
	a := record.Artifact{
		Name: "faults", Type: record.ChartType, Ref: b.registry.Ref("charts/faults", pin.Version),
		Digest: asset.Digest(digest.String()),
	}
	ref, err := name.NewDigest(string(a.Pinned()))
	require.NoError(t, err)
	require.NoError(t, remote.Write(ref, img))
	_, err = b.registry.Seal(t.Context(), &record.Record{
		Schema: record.Schema, Kind: asset.Library, Asset: pin.Asset, Version: pin.Version, Tag: pin.Tag(),
		Commit: strings.Repeat("0a", 20), Tool: "test", Artifacts: []record.Artifact{a},
		Checks: []record.Test{{Name: record.PackageTest, Of: "faults", Passed: true}},
	})
	require.NoError(t, err)
	w := work{kind: "release", version: "2026.2.1"}
	require.NoError(t, b.halfPublished(t.Context(), w))
	lost.Store(true)
	assert.ErrorContains(t, b.halfPublished(t.Context(), w), "release 2026.2.1 is half published: ")
	w.version = "no version"
	assert.Error(t, b.halfPublished(t.Context(), w), "it is no version")
}
