package e2e

import (
	"archive/tar"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// TestAModuleIsBuiltOnce releases an image of four modules, changes one of them, and
// releases it again from a mirror that gives no source: the other three are those of the
// release before. One that is not to be trusted gives nothing.
func TestAModuleIsBuiltOnce(t *testing.T) {
	s, environ := newHierarchy(t)
	dir, reg := t.TempDir(), ownRegistry()
	key, other := filepath.Join(dir, "release.key"), filepath.Join(dir, "other.key")
	ok(t, s.dir, "key", key)
	ok(t, s.dir, "key", other)
	do := func(environ []string, args ...string) result {
		return runEnv(t, s.dir, environ, append(args, "--registry", reg)...)
	}
	release := func(environ []string, tag string, args ...string) (rec record.Record, said string) {
		r := do(environ, append([]string{"release", tag, "--output", "json"}, args...)...)
		require.Equal(t, 0, r.status, r.err)
		require.NoError(t, json.Unmarshal([]byte(r.out), &rec))
		return rec, r.err
	}
	release(environ, "epics-base/7.0.8.1r1.0", "--key", key)
	s.tag("essential/1.0.0")
	first, _ := release(environ, "essential/1.0.0", "--key", key)
	require.Empty(t, builders(first))

	s.edit("modules/limit/src/limit.c", "scaleRaw(50)", "scaleRaw(70)")
	s.commit("essential/1.0.1", "epics-base/7.0.8.1r1.1")
	refs := []string{refsAlone(t, environ[0])}
	r := do(refs, "release", "essential/1.0.1", "--key", key, "--all")
	require.NotEqual(t, 0, r.status, "the mirror gives sources")
	require.Contains(t, r.err, "403")
	second, said := release(refs, "essential/1.0.1", "--key", key)
	require.Contains(t, said, "3 of 4 modules: built by essential/1.0.0\n")
	by := "essential/1.0.0"
	require.Equal(t, map[string]string{"raw": by, "scale": by, "settings": by}, builders(second))
	was, is := below(t, first.Artifacts[0].Pinned()), below(t, second.Artifacts[0].Pinned())
	for _, module := range []string{"raw", "scale", "settings"} {
		require.NotEmpty(t, was[module])
		require.Equal(t, was[module], is[module], module)
	}
	require.NotEqual(t, was["limit"], is["limit"])
	// Nobody pulls a layer again because its module was taken: one layer alone is another.
	had, has := layers(t, first.Artifacts[0].Pinned()), layers(t, second.Artifacts[0].Pinned())
	require.Len(t, has, len(had))
	require.Len(t, slices.DeleteFunc(has, func(l v1.Hash) bool { return slices.Contains(had, l) }), 1)
	require.Equal(t, layers(t, first.Artifacts[1].Pinned()), layers(t, second.Artifacts[1].Pinned()))
	require.Contains(t, ok(t, s.dir, "record", "essential/1.0.1", "--registry", reg), ", built by 1.0.0\n")
	ok(t, s.dir, "verify", "essential/1.0.1", "--registry", reg, "--key", key+".pub")

	base, said := release(refs, "epics-base/7.0.8.1r1.1", "--key", key)
	require.Equal(t, map[string]string{"epics-base": "epics-base/7.0.8.1r1.0"}, builders(base), said)

	// A pull request reads, and trusts whom the repository names.
	public, err := os.ReadFile(key + ".pub")
	require.NoError(t, err)
	signer := "  key: |\n    " + strings.ReplaceAll(strings.TrimSpace(string(public)), "\n", "\n    ") + "\n"
	s.write("tagline.yaml", "signers:\n- "+signer[2:])
	for _, args := range [][]string{{"essential/1.0.2"}, {"essential/0.0.0", "--in-tree"}} {
		r = do(refs, append([]string{"check"}, args...)...)
		require.Equal(t, 0, r.status, r.err)
		require.Contains(t, r.err, "3 of 4 modules: built by essential/1.0.0\n")
		require.Contains(t, r.err, "1 of 4 modules: built by essential/1.0.1\n")
	}
	require.Contains(t, r.err, "1 of 1 modules: built by epics-base/7.0.8.1r1.0\n")

	// What another may sign is one thing, what is taken from him another.
	policy := filepath.Join(dir, "policy.yaml")
	require.NoError(t, os.WriteFile(policy, []byte("signers:\n- assets: [epics-base]\n"+signer), 0o600))
	s.tag("essential/1.0.2")
	third, said := release(environ, "essential/1.0.2", "--key", other, "--policy", policy)
	require.Empty(t, builders(third))
	require.Contains(t, said, "every module is built: ")
}

// builders returns which release built each module that another has taken.
func builders(rec record.Record) map[string]string {
	all := map[string]string{}
	for _, src := range rec.Sources {
		if src.From != nil {
			all[src.Module] = src.From.Release.String()
		}
	}
	return all
}

// refsAlone returns the variable that names a mirror which tells the refs of what
// another serves, and gives no source: at an address from which the engine has none.
func refsAlone(t *testing.T, variable string) string {
	t.Helper()
	name, pairs, _ := strings.Cut(variable, "=")
	pair, rest, _ := strings.Cut(pairs, ",")
	from, to, _ := strings.Cut(pair, "=")
	target, err := url.Parse(to)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	at := listen(t)
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet {
			http.Error(w, "no sources here", http.StatusForbidden)
			return
		}
		proxy.ServeHTTP(w, r)
	})
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	go server.Serve(at)
	t.Cleanup(func() { server.Close() })
	return fmt.Sprintf("%s=%s=http://%s/,%s", name, from, at.Addr(), rest)
}

// layers returns the digests of an image's layers.
func layers(t *testing.T, ref asset.Ref) []v1.Hash {
	t.Helper()
	parsed, err := name.ParseReference(string(ref))
	require.NoError(t, err)
	img, err := remote.Image(parsed)
	require.NoError(t, err)
	manifest, err := img.Manifest()
	require.NoError(t, err)
	var all []v1.Hash
	for _, layer := range manifest.Layers {
		all = append(all, layer.Digest)
	}
	return all
}

// below returns the files of each support module of an image, each with mode, time and
// content.
func below(t *testing.T, ref asset.Ref) map[string][]string {
	t.Helper()
	parsed, err := name.ParseReference(string(ref))
	require.NoError(t, err)
	img, err := remote.Image(parsed)
	require.NoError(t, err)
	tr := mutate.Extract(img)
	defer tr.Close()
	all := map[string][]string{}
	for r := tar.NewReader(tr); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		file, inside := strings.CutPrefix(strings.TrimPrefix(h.Name, "/"), "epics/support/")
		module, _, _ := strings.Cut(file, "/")
		if !inside || h.Typeflag == tar.TypeDir {
			continue
		}
		sum := sha256.New()
		_, err = io.Copy(sum, r)
		require.NoError(t, err)
		line := fmt.Sprintf("%s %o %s %s %x", file, h.Mode, h.ModTime.UTC(), h.Linkname, sum.Sum(nil))
		all[module] = append(all[module], line)
	}
}
