package attest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/distribution/distribution/v3/configuration"
	"github.com/distribution/distribution/v3/registry/handlers"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/match"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/sirupsen/logrus"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// vault is a site whose registry's storage is at hand.
type vault struct {
	*site
	dir string
}

// newVault is a site on the registry that most others are made of.
func newVault(t testing.TB) *vault {
	if testing.Short() {
		t.Skip("verifies a release some hundred times")
	}
	logrus.SetOutput(io.Discard)
	v := &vault{dir: t.TempDir()}
	c := &configuration.Configuration{
		Storage: configuration.Storage{"filesystem": configuration.Parameters{"rootdirectory": v.dir}},
	}
	c.HTTP.Secret = "x"
	server := httptest.NewServer(handlers.NewApp(context.Background(), c))
	t.Cleanup(server.Close)
	v.site = fill(t, strings.TrimPrefix(server.URL, "http://"))
	return v
}

// tags returns the file that each tag is kept in, by "path/name:tag".
func (v *vault) tags(t testing.TB) map[string]string {
	all := map[string]string{}
	repos := filepath.Join(v.dir, "docker/registry/v2/repositories")
	require.NoError(t, filepath.WalkDir(repos, func(p string, _ fs.DirEntry, err error) error {
		if repo, tag, ok := strings.Cut(strings.TrimPrefix(p, repos+"/"), "/_manifests/tags/"); ok {
			if tag, ok = strings.CutSuffix(tag, "/current/link"); ok {
				all[repo+":"+tag] = p
			}
		}
		return err
	}))
	return all
}

// blob returns the file that a blob or manifest is kept in.
func (v *vault) blob(digest string) string {
	hex := strings.TrimPrefix(digest, "sha256:")
	return filepath.Join(v.dir, "docker/registry/v2/blobs/sha256", hex[:2], hex, "data")
}

// reachable returns the digest of everything that the tags lead to, with a path
// that leads there.
func (v *vault) reachable(t testing.TB) map[string]string {
	all := map[string]string{}
	var follow func(digest, way string)
	follow = func(digest, way string) {
		text, err := os.ReadFile(v.blob(digest))
		require.NoError(t, err, way)
		all[digest] = way
		var m struct {
			Config    *v1.Descriptor
			Layers    []v1.Descriptor
			Manifests []v1.Descriptor
		}
		require.NoError(t, json.Unmarshal(text, &m), way)
		for i, d := range m.Layers {
			all[d.Digest.String()] = fmt.Sprintf("%s layer %d", way, i)
		}
		if m.Config != nil {
			all[m.Config.Digest.String()] = way + " config"
		}
		for i, d := range m.Manifests {
			follow(d.Digest.String(), fmt.Sprintf("%s manifest %d", way, i))
		}
	}
	for ref, file := range v.tags(t) {
		digest, err := os.ReadFile(file)
		require.NoError(t, err)
		follow(string(digest), ref)
	}
	return all
}

// spoiled changes a file while what is done.
func spoiled(t testing.TB, file string, change func(text []byte), what func()) {
	was, err := os.ReadFile(file)
	require.NoError(t, err)
	change(append([]byte{}, was...))
	what()
	require.NoError(t, os.WriteFile(file, was, 0o644))
}

// TestNothingAlteredPasses flips one bit of each thing in the registry's
// storage, and takes each away.
func TestNothingAlteredPasses(t *testing.T) {
	v := newVault(t)
	_, err := v.verify(t)
	require.NoError(t, err)
	all := v.reachable(t)
	require.Greater(t, len(all), 40)
	for digest, way := range all {
		t.Run(way, func(t *testing.T) {
			file := v.blob(digest)
			spoiled(t, file, func(text []byte) {
				text[len(text)/2] ^= 1
				require.NoError(t, os.WriteFile(file, text, 0o644))
			}, func() { v.refuses(t, "flipped", digest) })
			spoiled(
				t,
				file,
				func([]byte) { require.NoError(t, os.Remove(file)) },
				func() { v.refuses(t, "gone", digest, named(way)) },
			)
		})
	}
	_, err = v.verify(t)
	require.NoError(t, err, "what was altered was not put back")
}

// refuses verifies, which must name what is wrong, one way or the other. A
// record that is gone is a release that never was, to who asks for it.
func (v *vault) refuses(t *testing.T, how string, names ...string) {
	t.Helper()
	_, err := v.verify(t)
	if !assert.Error(t, err, "%s passes", how) {
		return
	}
	assert.True(
		t,
		slices.ContainsFunc(names, func(n string) bool { return strings.Contains(err.Error(), n) }),
		"%s: %q names none of %q",
		how,
		err,
		names,
	)
	if !errors.Is(err, registry.ErrNotFound) || !slices.Contains(names, "bl01t") {
		assert.Equal(t, diag.Refused, diag.KindOf(err), "%s: %v", how, err)
	}
}

// named returns the last name of an address.
func named(ref string) string {
	repo, _, _ := strings.Cut(ref, ":")
	return path.Base(repo)
}

// TestNoTagIsMoved lets each tag name something else.
func TestNoTagIsMoved(t *testing.T) {
	v := newVault(t)
	for ref, file := range v.tags(t) {
		repo, tag, _ := strings.Cut(ref, ":")
		if strings.HasPrefix(tag, "claim-") {
			continue // says who meant to seal; nobody reads it once that is done
		}
		t.Run(ref, func(t *testing.T) {
			other := v.push(t, repo, "", "", tag)
			spoiled(
				t,
				file,
				func([]byte) { v.retag(t, asset.Ref(v.host+"/"+ref), other) },
				func() { v.refuses(t, "moved", named(ref)) },
			)
			spoiled(
				t,
				file,
				func([]byte) { require.NoError(t, os.Remove(file)) },
				func() { v.refuses(t, "gone", named(ref)) },
			)
		})
	}
	_, err := v.verify(t)
	require.NoError(t, err)
}

// TestNoSignatureIsMissed takes each signature away, and then puts one of
// another key in its place.
func TestNoSignatureIsMissed(t *testing.T) {
	v := newVault(t)
	other, _ := newKey(t)
	seen := 0
	for ref, file := range v.tags(t) {
		repo, tag, _ := strings.Cut(ref, ":")
		hex, ok := strings.CutPrefix(tag, "sha256-")
		if !ok {
			continue // only lists of signatures are kept so
		}
		subject := v.host + "/" + repo + "@sha256:" + hex
		at, err := name.NewTag(v.host + "/" + ref)
		require.NoError(t, err)
		list, err := remote.Index(at)
		require.NoError(t, err)
		m, err := list.IndexManifest()
		require.NoError(t, err)
		for i, d := range m.Manifests {
			seen++
			t.Run(fmt.Sprintf("%s %d", repo, i), func(t *testing.T) {
				kind := d.Annotations["dev.sigstore.bundle.predicateType"]
				signed, err := v.reg.Attached(t.Context(), asset.Ref(subject), sign.MediaType, kind)
				require.NoError(t, err)
				require.Len(t, signed, 1)
				said, err := v.trust.Check(signed[0], "sha256:"+hex, kind, "")
				require.NoError(t, err)
				theirs, err := other.Sign(
					t.Context(),
					sign.Statement{Name: "x", Digest: "sha256:" + hex, Kind: kind, Predicate: said},
				)
				require.NoError(t, err)
				rest := mutate.RemoveManifests(list, match.Digests(d.Digest))
				spoiled(t, file, func([]byte) { require.NoError(t, remote.WriteIndex(at, rest)) }, func() {
					v.refuses(t, "unsigned", "it has no signed "+kind)
					require.NoError(
						t,
						v.reg.Attach(
							t.Context(),
							asset.Ref(subject),
							registry.Attachment{Media: sign.MediaType, Kind: kind, Body: theirs},
						),
					)
					v.refuses(t, "signed by another", "no trusted signer signed its "+kind)
				})
			})
		}
	}
	require.Equal(t, 2*4+3, seen, "two signatures for each of four images, one for each of three records")
	_, err := v.verify(t)
	require.NoError(t, err)
}
