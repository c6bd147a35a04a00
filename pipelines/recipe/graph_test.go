package recipe_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
	"github.com/tagline-ci/tagline/pipelines/strictyaml/faultcase"
)

func TestGraph(t *testing.T) {
	tree, err := recipefile.Read(faultcase.Tree(t, "../recipefile/testdata/good.txtar"))
	require.NoError(t, err)
	modules := tree.Images["epics-modules"]
	var order []string
	for _, r := range tree.Order(modules) {
		order = append(order, r.Name)
	}
	assert.Equal(t, []string{"asyn", "autosave", "busy", "motor"}, order)
	var levels [][]string
	for _, l := range tree.Levels(modules) {
		var names []string
		for _, r := range l {
			names = append(names, r.Name)
		}
		levels = append(levels, names)
	}
	assert.Equal(t, [][]string{{"asyn", "autosave"}, {"busy"}, {"motor"}}, levels)
	var chain []asset.Name
	for _, i := range tree.Chain("ioc-motorsim") {
		chain = append(chain, i.Name)
	}
	assert.Equal(t, []asset.Name{"epics-base", "epics-modules", "ioc-motorsim"}, chain)
	assert.Empty(t, tree.Chain("nobody"))
	assert.Equal(t, []string{"epics-base", "asyn", "busy", "motor"}, tree.IOCModules(tree.Images["ioc-motorsim"]))
	assert.Empty(t, tree.IOCModules(modules))
	assert.Equal(t, []string{"epics-base", "asyn", "busy"}, tree.Closure("busy"))
	assert.Equal(t, []asset.Name{"epics-modules", "ioc-simstage", "ioc-motorsim"}, tree.Dependents("epics-base"))
	assert.Empty(t, tree.Dependents("ioc-motorsim"))
	assert.Equal(t, []asset.Name{"epics-modules"}, tree.Builders("asyn"))
	assert.Equal(t, []asset.Name{"epics-base", "epics-modules", "ioc-simstage"}, tree.Builders("epics-base"))
}
