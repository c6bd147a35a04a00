package recipe_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// family is an image on a root, and one whose parent is released elsewhere.
func family() *recipe.Tree {
	on := func(name asset.Name) asset.Pin {
		return asset.Pin{Asset: name, Version: assettest.Version("1.0")}
	}
	refs := []recipe.ModuleRef{{Name: "b"}, {Name: "a"}}
	return &recipe.Tree{
		Images: map[asset.Name]*recipe.Image{
			"root":  {Name: "root", Base: "debian:trixie", Modules: []recipe.ModuleRef{{Name: "epics-base"}}},
			"mid":   {Name: "mid", Parent: on("root"), Modules: refs, Build: []string{"git", "gdb"}},
			"child": {Name: "child", Parent: on("mid")},
			"stray": {Name: "stray", Parent: on("elsewhere")},
		},
		Modules: map[string]*recipe.Module{
			"epics-base": {Name: "epics-base"}, "a": {Packages: []string{"libx-dev"}},
			"b": {Packages: []string{"libx-dev", "gdb"}},
		},
	}
}

func TestBelow(t *testing.T) {
	for image, want := range map[asset.Name]struct {
		below   []asset.Name
		modules int
		whole   bool
	}{
		"root": {nil, 0, true}, "mid": {[]asset.Name{"root"}, 1, true},
		"child": {[]asset.Name{"root", "mid"}, 3, true}, "stray": {nil, 0, false},
	} {
		tree := family()
		below, whole := tree.Below(tree.Images[image])
		var names []asset.Name
		for _, i := range below.Images {
			names = append(names, i.Name)
		}
		assert.Equal(t, want.below, names, image)
		assert.Len(t, below.Modules, want.modules, image)
		assert.Equal(t, want.whole, whole, image)
	}
}

// A package that is named twice is asked for once, and those below are not.
func TestPackages(t *testing.T) {
	tree := family()
	assert.Equal(t, []string{"gdb", "git", "libx-dev"}, tree.Packages(tree.Images["mid"]))
	assert.Empty(t, tree.Packages(tree.Images["child"]))
}
