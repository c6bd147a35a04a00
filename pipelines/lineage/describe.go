package lineage

import (
	"maps"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// fromTree is the URL that a source in the tree has in a record.
const fromTree = "tree"

// Describe returns what the record of an image says of its recipe.
func Describe(tree *recipe.Tree, img *recipe.Image, lock *lockfile.Lock) *record.Recipe {
	r := &record.Recipe{Targets: img.Targets, Packages: maps.Clone(lock.Packages.Build)}
	if r.Packages == nil {
		r.Packages = lock.Packages.Run
	} else {
		maps.Copy(r.Packages, lock.Packages.Run)
	}
	if img.IOC != nil {
		r.IOC = &record.IOC{Modules: img.IOC.Modules, Source: img.IOC.Source}
	}
	for _, ref := range img.Modules {
		m := tree.Modules[ref.Name]
		one := record.Module{Name: m.Name, Macro: m.Macro, Needs: m.Needs, DBDs: m.DBDs, Libs: m.Libs, Files: m.Files}
		for path, commit := range lock.Modules[ref.Name].Submodules {
			if one.Submodules == nil {
				one.Submodules = map[string]string{}
			}
			one.Submodules[path] = string(commit)
		}
		r.Modules = append(r.Modules, one)
	}
	return r
}

// imageOf returns an image as its record describes it, as far as others that are
// built on it must know.
func imageOf(rec *record.Record) *recipe.Image {
	img := &recipe.Image{Name: rec.Asset, Targets: rec.Recipe.Targets}
	if p := rec.Parents.Releases; len(p) > 0 {
		img.Parent = asset.Pin{Asset: p[0].Asset, Version: p[0].Version}
	} else {
		img.Base = string(rec.Parents.Root)
	}
	refs := map[string]string{}
	for _, s := range rec.Sources {
		if s.URL != fromTree {
			refs[s.Module] = s.Ref
		}
	}
	for _, m := range rec.Recipe.Modules {
		img.Modules = append(img.Modules, recipe.ModuleRef{Name: m.Name, Ref: refs[m.Name]})
	}
	if ioc := rec.Recipe.IOC; ioc != nil {
		img.IOC = &recipe.IOC{Modules: ioc.Modules, Source: ioc.Source}
	}
	return img
}

// moduleOf returns a support module as it was built.
func moduleOf(m record.Module) *recipe.Module {
	return &recipe.Module{Name: m.Name, Macro: m.Macro, Needs: m.Needs, DBDs: m.DBDs, Libs: m.Libs, Files: m.Files}
}
