package image

import (
	"regexp"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

var noPackage = regexp.MustCompile(`(?m)^E: (?:Unable to locate package (\S+)|Package '([^']+)' has no installation candidate)`)

// noPackages gives the packages that apt says Debian does not have, each with
// the file and line that asks for it; nil when apt says something else.
func (b Builder) noPackages(img *recipe.Image, said string) error {
	var faults diag.Faults
	for _, m := range noPackage.FindAllStringSubmatch(said, -1) {
		file, line := b.asks(img, m[1]+m[2])
		faults.Addf(file, line, "correct the name, or take it out", "Debian has no package %s", m[1]+m[2])
	}
	return faults.Err()
}

// asks gives the place that names a package of img: the image's own file, or
// that of a module built in it.
func (b Builder) asks(img *recipe.Image, name string) (file string, line int) {
	if slices.Contains(img.Build, name) || slices.Contains(img.Run, name) {
		return img.File, img.Lines[name]
	}
	for _, ref := range img.Modules {
		if mod := b.Tree.Modules[ref.Name]; slices.Contains(mod.Packages, name) {
			return mod.File, mod.Lines[name]
		}
	}
	return img.File, 0
}
