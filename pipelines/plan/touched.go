package plan

import (
	"fmt"
	"path"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// touched sorts changed paths by what they are a part of.
type touched struct {
	modules   map[string][]string                // of support modules: their files and sources
	images    map[asset.Name][]string            // what images are built from
	smoke     map[asset.Name][]string            // smoke tests of images: nothing is built from them
	charts    map[asset.Name][]string            // library charts
	shared    map[asset.Name]string              // beamline.yaml, by beamline
	locks     map[asset.Name]string              // of services' images, by beamline
	sources   map[asset.Name][]string            // that config folders of a beamline are made from
	instances map[asset.Name]map[string][]string // by beamline and instance
}

// classify looks at whole path elements only, so that ioc-pmac's files are
// never those of an asset called ioc.
func classify(recipes *recipe.Tree, changed []string) touched {
	t := touched{
		map[string][]string{}, map[asset.Name][]string{}, map[asset.Name][]string{}, map[asset.Name][]string{},
		map[asset.Name]string{}, map[asset.Name]string{}, map[asset.Name][]string{},
		map[asset.Name]map[string][]string{},
	}
	sources := map[string][]string{} // modules by the folder of their source
	for _, m := range recipes.Modules {
		if m.Folder != "" {
			sources[m.Folder] = append(sources[m.Folder], m.Name)
		}
	}
	for _, p := range changed {
		part := strings.Split(p, "/")
		if t.source(sources, p) || len(part) < 3 {
			continue
		}
		// A folder that is no asset is looked for in vain, whatever it is called.
		name, rest := asset.Name(part[1]), path.Join(part[2:]...)
		switch part[0] {
		case recipe.Dir:
			t.generic(recipes, name, rest, p)
		case charts:
			t.charts[name] = append(t.charts[name], p)
		case beamline.Dir:
			t.beamline(name, part[2:], p)
		}
	}
	return t
}

// source notes a path in the source of modules, if it is one.
func (t touched) source(sources map[string][]string, p string) (found bool) {
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		for _, m := range sources[dir] {
			t.modules[m] = append(t.modules[m], p)
			found = true
		}
	}
	return found
}

// generic notes a path below generic-iocs/<name>.
func (t touched) generic(recipes *recipe.Tree, name asset.Name, rest, p string) {
	if name == "support" {
		if m, ok := strings.CutSuffix(rest, ".yaml"); ok {
			t.modules[m] = append(t.modules[m], p)
		}
		return
	}
	img := recipes.Images[name]
	switch {
	case img == nil, path.Ext(rest) == ".md" && path.Dir(rest) == ".": // a text about the image
	case img.Smoke != nil && strings.HasPrefix(rest+"/", img.Smoke.Config+"/"):
		t.smoke[name] = append(t.smoke[name], p)
	default:
		t.images[name] = append(t.images[name], p)
	}
}

// beamline notes a path below beamlines/<name>.
func (t touched) beamline(name asset.Name, rest []string, p string) {
	if len(rest) == 1 && rest[0] == "beamline.yaml" {
		t.shared[name] = p
		return
	}
	if p == lockfile.ImagesPath(path.Join(beamline.Dir, string(name), "beamline.yaml")) {
		t.locks[name] = p
		return
	}
	if len(rest) > 1 && rest[0] == beamline.SourcesFolder {
		t.sources[name] = append(t.sources[name], p)
		return
	}
	if len(rest) < 3 || rest[0] != "iocs" {
		return
	}
	switch rest[2] {
	case "values.yaml", "config", beamline.SourcesFolder, "Chart.yaml", "templates":
		if t.instances[name] == nil {
			t.instances[name] = map[string][]string{}
		}
		t.instances[name][rest[1]] = append(t.instances[name][rest[1]], p)
	}
}

// shown is how many changed files a reason names.
const shown = 3

// files says which files changed, as reasons.
func files(paths []string) []string {
	var why []string
	for i, p := range paths {
		if i == shown && len(paths) > shown+1 {
			return append(why, fmt.Sprintf("and %d more files", len(paths)-shown))
		}
		why = append(why, p+" changed")
	}
	return why
}
