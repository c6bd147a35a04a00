package e2e

import (
	"archive/tar"
	"errors"
	"io"
	"path"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// TestRuntimeImageIsTheMinimum looks at every file of the published images.
func TestRuntimeImageIsTheMinimum(t *testing.T) {
	s, reg := newSite(t, "bl94t"), registry(t)
	s.images(reg)
	var rec record.Record
	read(t, &rec, s.dir, "record", "ioc-simstage/1.0.0", "--registry", reg)
	require.Len(t, rec.Artifacts, 2)
	minimal(
		t, rec, []string{"epics/support/simstage/db/simstage.template"},
		[]string{"epics/support/simstage/simstageApp/src/drvSimstage.c"},
	)
}

// minimal looks at every file of a generic IOC's images: what only builds is not
// in the runtime image, which is small beside the developer image. Both have
// the files of runs, and the developer image has those of builds.
func minimal(t *testing.T, rec record.Record, runs, builds []string) {
	t.Helper()
	developer, runtime := files(t, rec.Artifacts[0].Ref), files(t, rec.Artifacts[1].Ref)
	runs = append(
		runs, "epics/ioc/ioc", "epics/ioc/dbd/ioc.dbd", "epics/epics-base/bin/linux-x86_64/caget",
		"epics/epics-base/bin/linux-x86_64/pvget",
		"epics/epics-base/bin/linux-x86_64/caRepeater",
		"epics/ioc-run/ioc-run", "epics/ioc-run/ioc-ask",
	)
	for _, must := range runs {
		require.Contains(t, runtime, must)
		require.Contains(t, developer, must)
	}
	for file := range runtime {
		require.NotContains(
			t, []string{"gcc", "g++", "cc", "make", "ld", "git", "gdb", "strace"}, path.Base(file), file,
		)
		require.False(t, strings.HasPrefix(file, "usr/include/"), file)
		if strings.HasPrefix(file, "epics/") {
			for _, kind := range []string{".a", ".o", ".h", ".c", ".cpp", ".d", ".pl"} {
				require.NotEqual(t, kind, path.Ext(file), file)
			}
			require.NotRegexp(t, `(?i)/(tests?|[a-z]+test|src|configure|include)/`, file)
		}
	}
	builds = append(
		builds, "usr/bin/gcc", "usr/bin/gdb", "usr/bin/git", "epics/epics-base/include/dbAccess.h",
		"epics/epics-base/bin/linux-x86_64/makeBaseApp.pl",
	)
	for _, must := range builds {
		require.Contains(t, developer, must)
		require.NotContains(t, runtime, must)
	}
	small, large := compressed(t, rec.Artifacts[1].Ref), compressed(t, rec.Artifacts[0].Ref)
	ratio := float64(small) / float64(large)
	t.Logf(
		"%s: runtime %.1f MB, developer %.1f MB, ratio %.3f", rec.Asset, float64(small)/1e6, float64(large)/1e6, ratio,
	)
	require.LessOrEqual(t, ratio, 0.15)
}

// compressed is the size of an image's layers in the registry, in bytes.
func compressed(t *testing.T, ref asset.Ref) (sum int64) {
	t.Helper()
	parsed, err := name.ParseReference(string(ref))
	require.NoError(t, err)
	img, err := remote.Image(parsed)
	require.NoError(t, err)
	layers, err := img.Layers()
	require.NoError(t, err)
	for _, l := range layers {
		size, err := l.Size()
		require.NoError(t, err)
		sum += size
	}
	return sum
}

// TestWhatIsTestedIsWhatIsPublished follows the digest that each test ran to the
// record and to what the registry serves under the version.
func TestWhatIsTestedIsWhatIsPublished(t *testing.T) {
	s, reg := newSite(t, "bl93t"), registry(t)
	s.images(reg)
	s.commit("bl93t/1.0.0")
	ok(t, s.dir, "release", "bl93t/1.0.0", "--registry", reg)

	runtime := map[asset.Name]asset.Digest{} // the digest of each image's runtime target
	for _, tag := range []string{"epics-base/7.0.8.1r1.0", "ioc-simstage/1.0.0"} {
		var rec record.Record
		read(t, &rec, s.dir, "record", tag, "--registry", reg)
		for _, a := range rec.Artifacts {
			require.Equal(t, a.Digest, served(t, a.Ref), a.Ref)
		}
		require.Equal(t, asset.Runtime, rec.Artifacts[1].Target)
		runtime[rec.Asset] = rec.Artifacts[1].Digest
		require.NotEmpty(t, rec.Checks)
		for _, c := range rec.Checks {
			require.Equal(t, runtime[rec.Asset], c.Digest, "%s: %s at another digest", tag, c.Name)
		}
	}
	var rec record.Record
	read(t, &rec, s.dir, "record", "bl93t/1.0.0", "--registry", reg)
	booted := map[string]asset.Digest{}
	for _, c := range rec.Checks {
		booted[c.Of] = c.Digest
	}
	for i, instance := range rec.Instances {
		require.Equal(t, runtime["ioc-simstage"], booted[instance.Name], instance.Name)
		require.Equal(t, booted[instance.Name], instance.Image.Digest())
		require.Equal(t, rec.Artifacts[i].Digest, served(t, rec.Artifacts[i].Ref))
	}
}

// served asks the registry for the digest of what it serves under a tag.
func served(t *testing.T, ref asset.Ref) asset.Digest {
	t.Helper()
	parsed, err := name.ParseReference(string(ref))
	require.NoError(t, err)
	got, err := remote.Get(parsed)
	require.NoError(t, err)
	return asset.Digest(got.Digest.String())
}

// files lists an image's files, and links, by path.
func files(t *testing.T, ref asset.Ref) map[string]bool {
	t.Helper()
	parsed, err := name.ParseReference(string(ref))
	require.NoError(t, err)
	img, err := remote.Image(parsed)
	require.NoError(t, err)
	tr := mutate.Extract(img)
	defer tr.Close()
	all := map[string]bool{}
	for r := tar.NewReader(tr); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		require.NoError(t, err)
		if h.Typeflag != tar.TypeDir {
			all[strings.TrimPrefix(h.Name, "/")] = true
		}
	}
}
