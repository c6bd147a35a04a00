package lockfile_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/lockfile"
)

// What is written is read again, and the same images have the same bytes.
func TestImagesAreReadAsWritten(t *testing.T) {
	const bl = "beamlines/bl01t/beamline.yaml"
	digest := "@sha256:" + strings.Repeat("7", 64)
	locked := map[string]string{
		"python:3.13":                  "docker.io/library/python:3.13" + digest,
		"ghcr.io/some-org/pyioc:1.2.3": "ghcr.io/some-org/pyioc:1.2.3" + digest,
	}
	text, err := lockfile.ImagesText(locked)
	require.NoError(t, err)
	again, err := lockfile.ImagesText(locked)
	require.NoError(t, err)
	require.Equal(t, string(text), string(again))
	var named []lockfile.Named
	for image := range locked {
		named = append(named, lockfile.Named{Image: image, File: "values.yaml", Line: 2})
	}
	require.Equal(t, "beamlines/bl01t/beamline.lock.yaml", lockfile.ImagesPath(bl))
	fsys := fstest.MapFS{lockfile.ImagesPath(bl): {Data: text}}
	read, err := lockfile.ReadImages(fsys, bl, named)
	require.NoError(t, err)
	require.Equal(t, locked, read)

	text, err = lockfile.ImagesText(nil)
	require.NoError(t, err)
	require.Empty(t, text, "nothing to lock needs no file")
	read, err = lockfile.ReadImages(fstest.MapFS{}, bl, nil)
	require.NoError(t, err)
	require.Empty(t, read)

	now := map[string]string{"python:3.13": "docker.io/library/python:3.13@sha256:" + strings.Repeat("8", 64)}
	require.Equal(t, []lockfile.Drift{
		{Image: "bl01t", Pin: "ghcr.io/some-org/pyioc:1.2.3", Locked: locked["ghcr.io/some-org/pyioc:1.2.3"]},
		{Image: "bl01t", Pin: "python:3.13", Locked: locked["python:3.13"], Now: now["python:3.13"]},
	}, lockfile.ImageDrifts("bl01t", locked, now))
}
