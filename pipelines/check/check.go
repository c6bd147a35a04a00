// Package check reads a whole tree strictly: every recipe and every beamline.
package check

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
)

// Summary counts what a tree without faults holds.
type Summary struct {
	Commit    string `json:"commit"` // that was read, 40 hex digits
	Images    int    `json:"images"`
	Modules   int    `json:"modules"`
	Beamlines int    `json:"beamlines"`
	Instances int    `json:"instances"`
	// Outside says what is built on or runs an image that the tree does not have,
	// each with its file. Only Alone looks for it.
	Outside []string `json:"outside,omitempty"`
}

// Tree reads all recipes, their lock files and all beamlines of a tree. What an
// image has together with the release that it is built on is not looked at. The
// error holds every fault of every file, each a diag.Error.
func Tree(files fs.FS) (Summary, error) {
	recipes, err := recipefile.Read(files)
	sum, _, err := read(files, recipes, err)
	return sum, err
}

// Alone reads a tree as Tree does, and checks each image and instance with the
// images of the tree, whatever is released.
func Alone(files fs.FS) (Summary, error) {
	recipes, outside, err := recipefile.ReadAlone(files)
	sum, lines, err := read(files, recipes, err)
	if err != nil {
		return Summary{}, err
	}
	for _, img := range outside {
		sum.Outside = append(sum.Outside, fmt.Sprintf(
			"%s: built on %s, which is not in this tree", img.File, img.Parent,
		))
	}
	for _, bl := range lines {
		for _, inst := range bl.Instances {
			if inst.Service == "" && recipes.Images[inst.Image.Asset] == nil {
				sum.Outside = append(sum.Outside, fmt.Sprintf(
					"%s: runs %s, which is not in this tree", inst.File, inst.Image,
				))
			}
		}
	}
	return sum, nil
}

// read reads what is beside the recipes, which are nil when err says why.
func read(files fs.FS, recipes *recipe.Tree, err error) (Summary, []*beamline.Beamline, error) {
	if err == nil {
		_, err = lockfile.Read(files, recipes, slices.Sorted(maps.Keys(recipes.Images))...)
	}
	names, errNames := beamline.Names(files)
	faults := []error{err, errNames}
	instances := 0
	var lines []*beamline.Beamline
	for _, name := range names {
		bl, err := beamline.Read(files, name)
		faults = append(faults, err)
		if err == nil {
			lines = append(lines, bl)
			instances += len(bl.Instances)
		}
	}
	if err := errors.Join(faults...); err != nil {
		return Summary{}, nil, err
	}
	sum := Summary{
		Images: len(recipes.Images), Modules: len(recipes.Modules), Beamlines: len(names), Instances: instances,
	}
	return sum, lines, nil
}
