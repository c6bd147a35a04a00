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
