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

// A tree that is read alone says what it leaves open: images that it is built on or
// runs, and does not have. Faults are told first.
func TestAloneNamesWhatIsOutside(t *testing.T) {
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	ioc := func(name, image string) (string, *fstest.MapFile) {
		return "beamlines/bl01t/iocs/" + name + "/values.yaml", file("image: " + image + "\nprobePV: " + name + "\n")
	}
	files := fstest.MapFS{
		"generic-iocs/lib-a/image.yaml":              file("from: epics-base 7.0.8.1r1.0\n"),
		"beamlines/bl01t/beamline.yaml":              file("namespace: bl01t\n"),
		"beamlines/bl01t/iocs/bl01t-a/config/st.cmd": file("iocInit\n"),
		"beamlines/bl01t/iocs/bl01t-b/config/st.cmd": file("iocInit\n"),
	}
	for name, image := range map[string]string{"bl01t-a": "ioc-x 1.0.0", "bl01t-b": "lib-a 1.0.0"} {
		path, values := ioc(name, image)
		files[path] = values
	}
	sum, err := Alone(files)
	require.NoError(t, err)
	require.Equal(t, Summary{Images: 1, Beamlines: 1, Instances: 2, Outside: []string{
		"generic-iocs/lib-a/image.yaml: built on epics-base 7.0.8.1r1.0, which is not in this tree",
		"beamlines/bl01t/iocs/bl01t-a/values.yaml: runs ioc-x 1.0.0, which is not in this tree",
	}}, sum)
	files["beamlines/bl01t/beamline.yaml"] = file("nmespace: bl01t\n")
	sum, err = Alone(files)
	require.ErrorContains(t, err, "bl01t/beamline.yaml:1")
	require.Empty(t, sum)
}
