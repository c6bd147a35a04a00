package recipefile_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/recipefile"
)

// The recipes of this repository are read as any site's.
func TestReadOwn(t *testing.T) {
	tree, err := recipefile.Read(os.DirFS("../.."))
	require.NoError(t, err)
	assert.NotNil(t, tree.Images["ioc-simstage"])
	assert.Equal(t, []string{"epics-base", "simstage"}, tree.IOCModules(tree.Images["ioc-simstage"]))
}
