package check

import (
	"os"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// TestThisRepository counts this repository's own assets, which have no lock
// files: those are all that is said of them.
func TestThisRepository(t *testing.T) {
	_, err := Tree(os.DirFS("../.."))
	for _, fault := range diag.All(err) {
		require.ErrorContains(t, fault, "not locked")
	}
}

// TestEveryFaultIsReported breaks a recipe and two beamlines at once.
func TestEveryFaultIsReported(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	files := fstest.MapFS{
		"beamlines/bl01t/beamline.yaml":              file("namespace: bl01t\n"),
		"beamlines/bl01t/iocs/bl01t-a/values.yaml":   file("image: ioc-a 1.0.0\nprobePV: A\n"),
		"beamlines/bl01t/iocs/bl01t-a/config/st.cmd": file("iocInit\n"),
	}
	sum, err := Tree(files)
	require.NoError(t, err)
	require.Equal(t, Summary{Beamlines: 1, Instances: 1}, sum)

	files["generic-iocs/ioc-a/image.yaml"] = file("form: debian\n")
	files["beamlines/bl01t/iocs/bl01t-a/values.yaml"] = file("image: ioc-a\nprobePV: A\n")
	files["beamlines/bl02i/beamline.yaml"] = file("nmespace: bl02i\n")
	_, err = Tree(files)
	for _, name := range []string{"ioc-a/image.yaml:1", "bl01t-a/values.yaml:1", "bl02i/beamline.yaml:1"} {
		require.ErrorContains(t, err, name)
	}
	require.Equal(t, diag.Invalid, diag.KindOf(err))
}
