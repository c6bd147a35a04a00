package beamline_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// generated returns the good site with files over it: the beamline has a generator.
func generated(t *testing.T, over map[string]string) fstest.MapFS {
	fsys := site(t)
	shared := fsys["beamlines/bl01t/beamline.yaml"]
	shared.Data = append(shared.Data, "generate: {image: epics-base 7.0.8.1r1.0, command: [sh, make.sh]}\n"...)
	for name, text := range over {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return fsys
}

const (
	one = "beamlines/bl01t/iocs/bl01t-mo-ioc-01"
	two = "beamlines/bl01t/iocs/bl01t-mo-ioc-02"
)

// The beamline's generator is that of the instances with sources; an instance's own
// takes its place.
func TestGenerator(t *testing.T) {
	bl, err := beamline.Read(generated(t, map[string]string{
		"beamlines/bl01t/generate/make.sh": "", one + "/generate/axes.csv": "",
	}), "bl01t")
	require.NoError(t, err)
	g := bl.Instances[0].Generator
	assert.Equal(t, "epics-base 7.0.8.1r1.0", g.Image.String())
	assert.Equal(t, []string{"sh", "make.sh"}, g.Command)
	assert.Equal(t, "beamlines/bl01t/beamline.yaml", g.File)
	assert.Equal(t, []string{"beamlines/bl01t/generate", one + "/generate"}, g.Folders)
	assert.Nil(t, bl.Instances[1].Generator, "it has no sources")

	fsys := generated(t, map[string]string{one + "/generate/axes.csv": ""})
	values := fsys[one+"/values.yaml"]
	values.Data = append(values.Data, "generate: {command: [msi, -V]}\n"...)
	bl, err = beamline.Read(fsys, "bl01t")
	require.NoError(t, err)
	g = bl.Instances[0].Generator
	assert.Equal(t, "ioc-simstage 1.0.0", g.Image.String(), "what it runs")
	assert.Equal(t, []string{"msi", "-V"}, g.Command)
	assert.Equal(t, one+"/values.yaml", g.File)
	assert.Equal(t, []string{one + "/generate"}, g.Folders)
}

// Only a generator may read a beamline whose config folders were not made yet, and
// it still wants those that people write.
func TestReadUnmade(t *testing.T) {
	fsys := generated(t, map[string]string{one + "/generate/axes.csv": ""})
	delete(fsys, one+"/config/st.cmd")
	values := fsys[one+"/values.yaml"] // its screens are made, too
	values.Data = append(values.Data, "opi: {port: 8080, mountPath: /html, image: web@sha256:"+
		strings.Repeat("7", 64)+"}\n"...)
	_, err := beamline.Read(fsys, "bl01t")
	require.Len(t, diag.All(err), 1)
	require.ErrorContains(t, err, one+"/config: it is made from generate/, and was not made yet; "+
		"make it: tagline generate bl01t bl01t-mo-ioc-01")
	bl, err := beamline.ReadUnmade(fsys, "bl01t")
	require.NoError(t, err)
	assert.Nil(t, bl.Instances[0].Config)
	assert.NotEmpty(t, bl.Instances[1].Config)
	delete(fsys, two+"/config/st.cmd")
	_, err = beamline.ReadUnmade(fsys, "bl01t")
	require.ErrorContains(t, err, "there is no start-up script")
}

// Whoever wants the values alone reads no config folder.
func TestReadValues(t *testing.T) {
	fsys := site(t)
	whole, err := beamline.Read(fsys, "bl01t")
	require.NoError(t, err)
	for name := range fsys {
		if strings.Contains(name, "/config/") {
			delete(fsys, name)
		}
	}
	bl, err := beamline.ReadValues(fsys, "bl01t")
	require.NoError(t, err)
	for i, inst := range bl.Instances {
		assert.Equal(t, whole.Instances[i].Values, inst.Values)
		assert.Empty(t, inst.Config)
	}
	fsys[one+"/values.yaml"].Data = []byte("image: ioc-simstage\n")
	_, err = beamline.ReadValues(fsys, "bl01t")
	require.ErrorContains(t, err, one+"/values.yaml:1: ")
}
