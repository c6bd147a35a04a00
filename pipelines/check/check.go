// Package check reads a whole tree strictly: every recipe and every beamline.
package check

import (
	"errors"
	"io/fs"
	"maps"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// Summary counts what a tree without faults holds.
type Summary struct {
	Images    int `json:"images"`
	Modules   int `json:"modules"`
	Beamlines int `json:"beamlines"`
	Instances int `json:"instances"`
}

// Tree reads all recipes, their lock files and all beamlines of a tree. The
// error holds every fault of every file, each a diag.Error.
func Tree(files fs.FS) (Summary, error) {
	recipes, err := recipe.Read(files)
	if err == nil {
		_, err = lockfile.Read(files, recipes, slices.Sorted(maps.Keys(recipes.Images))...)
	}
	names, errNames := beamline.Names(files)
	faults := []error{err, errNames}
	instances := 0
	for _, name := range names {
		bl, err := beamline.Read(files, name)
		faults = append(faults, err)
		if err == nil {
			instances += len(bl.Instances)
		}
	}
	if err := errors.Join(faults...); err != nil {
		return Summary{}, err
	}
	return Summary{len(recipes.Images), len(recipes.Modules), len(names), instances}, nil
}
