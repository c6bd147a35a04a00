package release

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine/enginetest"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
)

// lockable is a working copy with a hierarchy of three images, beamline bl01t of two
// services whose images have a tag, and bl02t, which has nothing to lock.
func lockable() fstest.MapFS {
	const base = "git: https://example.org/base\nmacro: EPICS_BASE\n"
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		"generic-iocs/support/epics-base.yaml": base,
		"generic-iocs/base/image.yaml":         "from: debian:trixie-slim\nmodules: {epics-base: R7.0.8.1}\n",
		"generic-iocs/a-leaf/image.yaml":       "from: middle 1.0.0\nmodules: {}\n",
		"generic-iocs/middle/image.yaml":       "from: base 1.0.0\nmodules: {}\n",
		"beamlines/bl01t/beamline.yaml":        "namespace: bl01t\n",
		"beamlines/bl01t/iocs/bl01t-db/values.yaml": "service: a database\nimage: docker.io/library/postgres:17\n" +
			"boot: {none: it has no data here}\n",
		"beamlines/bl01t/iocs/bl01t-web/values.yaml": "service: a page\nimage: docker.io/library/nginx:1\n" +
			"boot: {none: it has no data here}\n",
		"beamlines/bl02t/beamline.yaml":              "namespace: bl02t\n",
		"beamlines/bl02t/iocs/bl02t-a/values.yaml":   "image: a-leaf 1.0.0\nprobePV: A:X\n",
		"beamlines/bl02t/iocs/bl02t-a/config/st.cmd": "iocInit\n",
	} {
		files[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

// What is locked are images after those that they are built on, in whatever order they are
// named, and beamlines.
func TestWhatIsLocked(t *testing.T) {
	for name, c := range map[string]struct {
		names             []asset.Name
		images, beamlines string
	}{
		"everything":       {nil, "base middle a-leaf", "bl01t bl02t"},
		"an image":         {[]asset.Name{"middle"}, "middle", ""},
		"a leaf first":     {[]asset.Name{"a-leaf", "base"}, "base a-leaf", ""},
		"a beamline":       {[]asset.Name{"bl02t"}, "", "bl02t"},
		"of both, and one": {[]asset.Name{"bl01t", "base", "base"}, "base", "bl01t"},
	} {
		w, err := ReadLocking(lockable(), c.names...)
		require.NoError(t, err, name)
		var images, lines []string
		for _, img := range w.order {
			images = append(images, string(img.Name))
		}
		for _, bl := range w.beamlines {
			lines = append(lines, string(bl.Name))
		}
		require.Equal(t, c.images, strings.Join(images, " "), name)
		require.Equal(t, c.beamlines, strings.Join(lines, " "), name)
	}
}

// A name that is of nothing is refused with all that could be meant: beamlines have locks
// too.
func TestWhatCantBeLocked(t *testing.T) {
	_, err := ReadLocking(lockable(), "bl03t", "base", "ioc-x")
	require.EqualError(t, err, "looking for image or beamline bl03t: the tree has none of that name; "+
		"name one of a-leaf, base, bl01t, bl02t, middle\n"+
		"looking for image or beamline ioc-x: the tree has none of that name; "+
		"name one of a-leaf, base, bl01t, bl02t, middle")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	_, err = ReadLocking(fstest.MapFS{}, "ioc-x")
	require.EqualError(t, err, "looking for image ioc-x: the tree has none of that name; add one to generic-iocs/")
	files := lockable()
	files["beamlines/bl02t/beamline.yaml"].Data = []byte("namespaces: bl02t\n")
	_, err = ReadLocking(files)
	require.ErrorContains(t, err, "beamlines/bl02t/beamline.yaml:1")
}

// locksOf locks what is named with an engine.
func locksOf(t *testing.T, e *enginetest.Engine, names ...asset.Name) (map[string][]byte, error) {
	w, err := ReadLocking(lockable(), names...)
	require.NoError(t, err)
	return Builder{Client: e.Client()}.Lock(t.Context(), w)
}

const digestOfAll = "@sha256:1234567890123456789012345678901234567890123456789012345678901234"

// A beamline's lock has the digest that each of its services' images has now; that of a
// beamline without any is empty.
func TestTheLockOfABeamline(t *testing.T) {
	e := &enginetest.Engine{Answer: func(question string) (any, error) {
		image := strings.Split(question, `"`)[1]
		return image[:strings.LastIndex(image, ":")] + digestOfAll, nil
	}}
	texts, err := locksOf(t, e, "bl01t", "bl02t")
	require.NoError(t, err)
	file := lockfile.ImagesPath("beamlines/bl01t/beamline.yaml")
	require.Contains(t, string(texts[file]), "docker.io/library/nginx:1")
	require.Equal(t, 2, strings.Count(string(texts[file]), digestOfAll))
	require.Empty(t, texts[lockfile.ImagesPath("beamlines/bl02t/beamline.yaml")])
	require.Len(t, texts, 2)
	require.Equal(t, []string{
		`container.from(address:"docker.io/library/nginx:1").imageRef`,
		`container.from(address:"docker.io/library/postgres:17").imageRef`,
	}, e.Asked())
}

// Where one image can't be found nothing is locked, and the fault names it and the file.
func TestALockThatFails(t *testing.T) {
	e := &enginetest.Engine{Answer: func(question string) (any, error) {
		if strings.Contains(question, "postgres") {
			return nil, errors.New("manifest unknown")
		}
		return "docker.io/library/nginx" + digestOfAll, nil
	}}
	texts, err := locksOf(t, e, "bl01t")
	require.Nil(t, texts)
	require.EqualError(t, err, "beamlines/bl01t/beamline.yaml: looking for the image of a service "+
		"docker.io/library/postgres:17: manifest unknown; "+
		"check its name, and that the engine reaches its registry")
	require.Equal(t, diag.Broken, diag.KindOf(err))
}
