package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// images returns the images to build or test anew, parents before their children.
func (s *since) images() []Changed {
	list := []Changed{}
	levels := map[asset.Name]int{} // of the images that are built anew
	for _, img := range parentsFirst(s.recipes) {
		why := s.whyBuild(img)
		level := 0
		if l, ok := levels[img.Parent.Asset]; ok {
			level = l + 1
			why = append(why, fmt.Sprintf("built on %s (%s), which changes", img.Parent, img.File))
		}
		if len(why) > 0 {
			levels[img.Name] = level
		}
		if why = append(why, files(s.touched.smoke[img.Name])...); len(why) > 0 {
			list = append(list, Changed{Asset: img.Name, Kind: asset.Image, Level: level, Why: why})
		}
	}
	return list
}

// whyBuild returns what changed of all that is built in an image.
func (s *since) whyBuild(img *recipe.Image) []string {
	why := files(s.touched.images[img.Name])
	if len(s.touched.modules) == 0 {
		return why
	}
	var built []string
	for _, r := range img.Modules {
		built = append(built, r.Name)
	}
	for _, m := range s.recipes.Closure(built...) {
		if paths := s.touched.modules[m]; len(paths) > 0 {
			why = append(why, fmt.Sprintf("%s, and %s", files(paths)[0], s.builds(img, m)))
		}
	}
	return why
}

// builds says where an image asks for a module, itself or for another that
// needs it.
func (s *since) builds(img *recipe.Image, module string) string {
	for _, r := range img.Modules {
		if r.Name == module {
			return fmt.Sprintf("%s:%d builds it", img.File, r.Line)
		}
	}
	for _, r := range img.Modules {
		if slices.Contains(s.recipes.Closure(r.Name), module) {
			return fmt.Sprintf("%s:%d builds %s, which needs it", img.File, r.Line, r.Name)
		}
	}
	return img.File + " builds it"
}

// parentsFirst orders all images, otherwise by name.
func parentsFirst(recipes *recipe.Tree) []*recipe.Image {
	var order []*recipe.Image
	for _, name := range slices.Sorted(maps.Keys(recipes.Images)) {
		if img := recipes.Images[name]; img.Parent.IsZero() {
			order = append(order, img)
			for _, child := range recipes.Dependents(name) {
				order = append(order, recipes.Images[child])
			}
		}
	}
	return order
}
