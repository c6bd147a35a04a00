package debian

import (
	"archive/tar"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/ulikunitz/xz"

	"github.com/tagline-ci/tagline/ci/local/shelf"
)

// packTar writes a source package of the files, name and content in turn.
func packTar(t *testing.T, files ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x_1.orig.tar.xz")
	f, err := os.Create(path)
	require.NoError(t, err)
	defer f.Close()
	z, err := xz.NewWriter(f)
	require.NoError(t, err)
	w := tar.NewWriter(z)
	for i := 0; i < len(files); i += 2 {
		mode := int64(0o644)
		if strings.HasSuffix(files[i], ".sh") {
			mode = 0o755
		}
		require.NoError(t, w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg,
			Name: "base-1/" + files[i], Mode: mode, Size: int64(len(files[i+1]))}))
		_, err := io.WriteString(w, files[i+1])
		require.NoError(t, err)
	}
	require.NoError(t, w.WriteHeader(&tar.Header{Name: "base-1/link", Linkname: "README", Typeflag: tar.TypeSymlink}))
	require.NoError(t, w.Close())
	require.NoError(t, z.Close())
	return path
}

var testSource = Source{Repository: "github.com/o/r", Tag: "R1", Package: "x", Version: "1"}

func TestASourcePackageIsServedAsARepository(t *testing.T) {
	mirrors := t.TempDir()
	repo := filepath.Join(mirrors, testSource.Repository+".git")
	src := packTar(t, "README", "hello",
		"modules/pvData/src/a.c", "int a;", "modules/Makefile", "all:", "configure/run.sh", "#!/bin/sh\n")
	require.NoError(t, importTarball(t.Context(), repo, src, testSource))
	h, err := shelf.MirrorHandler(mirrors)
	require.NoError(t, err)
	srv := httptest.NewServer(h)
	defer srv.Close()

	for _, suffix := range []string{"", ".git"} {
		dir := t.TempDir()
		_, err = git.PlainCloneContext(t.Context(), dir, false, &git.CloneOptions{
			URL: srv.URL + "/" + testSource.Repository + suffix, ReferenceName: plumbing.NewTagReferenceName("R1"),
			Depth: 1})
		require.NoError(t, err)
		for file, want := range map[string]string{
			"README": "hello", "modules/pvData/src/a.c": "int a;", "modules/Makefile": "all:", "link": "hello"} {
			got, err := os.ReadFile(filepath.Join(dir, file))
			require.NoError(t, err)
			assert.Equal(t, want, string(got), file)
		}
		info, err := os.Stat(filepath.Join(dir, "configure/run.sh"))
		require.NoError(t, err)
		assert.NotZero(t, info.Mode()&0o100, "still executable")
	}
}

func TestTheSameTreeIsTheSameCommit(t *testing.T) {
	commit := func(files ...string) string {
		dir := filepath.Join(t.TempDir(), "r.git")
		require.NoError(t, importTarball(t.Context(), dir, packTar(t, files...), testSource))
		repo, err := git.PlainOpen(dir)
		require.NoError(t, err)
		head, err := repo.Head()
		require.NoError(t, err)
		return head.Hash().String()
	}
	one := commit("a/b", "1", "a.c", "2")
	assert.Equal(t, one, commit("a.c", "2", "a/b", "1"), "in another order")
	assert.NotEqual(t, one, commit("a/b", "1", "a.c", "3"))
}
