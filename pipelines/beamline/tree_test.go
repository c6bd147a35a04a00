package beamline_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
)

// The beamlines of this repository are read as any site's.
func TestReadOwn(t *testing.T) {
	tree := os.DirFS("../..")
	names, err := beamline.Names(tree)
	require.NoError(t, err)
	assert.Contains(t, names, asset.Name("bl01t"))
	for _, name := range names {
		bl, err := beamline.Read(tree, name)
		require.NoError(t, err)
		assert.NotEmpty(t, bl.Instances)
	}
}

// bl45p shows every form that an IOC instance can have.
func TestReadForms(t *testing.T) {
	bl, err := beamline.Read(os.DirFS("../.."), "bl45p")
	require.NoError(t, err)
	forms := map[string]string{}
	for _, inst := range bl.Instances {
		switch {
		case inst.Generator != nil:
			forms[inst.Name] = "generated"
		case inst.InImage():
			forms[inst.Name] = "layer"
		case inst.Values.Autosave != "":
			forms[inst.Name] = "autosave"
		default:
			forms[inst.Name] = "plain"
		}
	}
	assert.Equal(t, map[string]string{
		"bl45p-ea-ioc-01": "plain", "bl45p-ea-ioc-02": "layer",
		"bl45p-mo-ioc-01": "autosave", "bl45p-mo-ioc-02": "generated",
	}, forms)
}
