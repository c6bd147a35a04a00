package debian

import (
	"archive/tar"
	"errors"
	"os"
	"path/filepath"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/local/state"
)

// writeTar writes a tar of one file.
func writeTar(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "layer.tar")
	f, err := os.Create(path)
	require.NoError(t, err)
	w := tar.NewWriter(f)
	require.NoError(t, w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text))}))
	_, err = w.Write([]byte(text))
	require.NoError(t, errors.Join(err, w.Close(), f.Close()))
	return path
}

func digest(t *testing.T, img v1.Image) v1.Hash {
	t.Helper()
	d, err := img.Digest()
	require.NoError(t, err)
	return d
}

func TestTheSameTarsAreTheSameImage(t *testing.T) {
	newImage := func(env []string, tars ...string) v1.Image {
		img, err := NewImage(env, tars...)
		require.NoError(t, err)
		return img
	}
	one, two := writeTar(t, "etc/debian_version", "13"), writeTar(t, "usr/local/go/VERSION", "go1.26")
	img := newImage([]string{ImagePath}, one, two)
	assert.Equal(t, digest(t, img), digest(t, newImage([]string{ImagePath}, one, two)))
	assert.NotEqual(t, digest(t, img), digest(t, newImage([]string{ImagePath}, two, one)))
	assert.NotEqual(t, digest(t, img), digest(t, newImage(nil, one, two)))
	layers, err := img.Layers()
	require.NoError(t, err)
	assert.Len(t, layers, 2)
	config, err := img.ConfigFile()
	require.NoError(t, err)
	assert.Equal(t, "linux/amd64", config.Platform().String())
	assert.Equal(t, []string{"bash"}, config.Config.Cmd)
	assert.Equal(t, int64(Epoch), config.Created.Unix())
	_, err = NewImage(nil, "/nonexistent.tar")
	assert.ErrorContains(t, err, "/nonexistent.tar")
}

func TestAnImageIsMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "images", "debian")
	builds := 0
	build := func() (v1.Image, error) {
		builds++
		return NewImage(nil, writeTar(t, "etc/debian_version", "13"))
	}
	_, err := EnsureImage(dir, func() (v1.Image, error) { return nil, errors.New("no archive") })
	assert.ErrorContains(t, err, "no archive")
	require.NoError(t, os.MkdirAll(dir+".building/blobs", 0o755), "of a run that was killed")
	first, err := EnsureImage(dir, build)
	require.NoError(t, err)
	second, err := EnsureImage(dir, build)
	require.NoError(t, err)
	assert.Equal(t, digest(t, first), digest(t, second))
	assert.Equal(t, 1, builds)
	assert.NoDirExists(t, dir+".building")
	none := []byte(`{"schemaVersion": 2, "manifests": []}`)
	require.NoError(t, os.WriteFile(filepath.Join(dir, "index.json"), none, 0o644))
	_, err = EnsureImage(dir, build)
	assert.ErrorContains(t, err, "reading "+dir+": 0 images, want 1")
}

func TestARootFileSystemIsMadeOnce(t *testing.T) {
	s := state.Dir(t.TempDir())
	want := s.Path("rootfs", "debian.tar")
	require.NoError(t, state.WriteFile(want, []byte("a tar"), 0o644))
	t.Setenv("PATH", t.TempDir()) // nothing could be installed
	got, err := EnsureRootfs(t.Context(), s, "debian", "ca-certificates")
	require.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestARepositoryThatIsThereIsLeftAlone(t *testing.T) {
	s := state.Dir(t.TempDir())
	require.NoError(t, os.MkdirAll(filepath.Join(s.Mirrors(), EPICSBase.Repository+".git"), 0o755))
	t.Setenv("PATH", t.TempDir()) // nothing could be fetched
	assert.NoError(t, EnsureRepository(t.Context(), s, EPICSBase))
}

func TestAVersionThatDebianHasNoMoreIsNamed(t *testing.T) {
	fakeDebian(t, 0)
	dir := t.TempDir()
	script := "#!/bin/sh\ncase $1 in indextargets) echo http://mirror.example.org/debian/ ;; esac\n"
	require.NoError(t, os.WriteFile(filepath.Join(dir, "apt-get"), []byte(script), 0o755))
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	work := t.TempDir()
	_, err := downloadSource(t.Context(), work, EPICSBase)
	assert.ErrorContains(t, err, "trixie holds no upstream version 7.0.8.1 any more")
	list, err := os.ReadFile(filepath.Join(work, "sources.list"))
	require.NoError(t, err)
	assert.Equal(t, "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "+
		"http://mirror.example.org/debian/ trixie main\n", string(list))
}

func TestAMachineWithoutAnArchive(t *testing.T) {
	fakeDebian(t, 0)
	_, err := machineArchives(t.Context())
	assert.ErrorContains(t, err, "apt names none that ends in /debian/; add one to /etc/apt/sources.list")
}
