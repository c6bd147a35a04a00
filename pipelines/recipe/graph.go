package recipe

import (
	"maps"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
)

// Base is EPICS Base: every other module is built against it.
const Base = "epics-base"

// needs returns what a module is built against, EPICS Base first, then by name.
func (t *Tree) needs(module string) []string {
	var needs []string
	if m := t.Modules[module]; m != nil {
		needs = slices.Sorted(slices.Values(m.Needs))
	}
	if module == Base {
		return needs
	}
	needs = slices.DeleteFunc(needs, func(n string) bool { return n == Base })
	return append([]string{Base}, needs...)
}

// Closure returns modules and all that they need, each once, needs first; the
// order is the same for the same tree and the same set of modules.
func (t *Tree) Closure(modules ...string) []string {
	var order []string
	seen := map[string]bool{}
	var visit func(string)
	visit = func(m string) {
		if seen[m] {
			return
		}
		seen[m] = true
		for _, n := range t.needs(m) {
			visit(n)
		}
		order = append(order, m)
	}
	for _, m := range slices.Sorted(slices.Values(modules)) {
		visit(m)
	}
	return order
}

// Order returns the modules built in img, needs first, otherwise by name.
func (t *Tree) Order(img *Image) []ModuleRef {
	refs := map[string]ModuleRef{}
	for _, r := range img.Modules {
		refs[r.Name] = r
	}
	var order []ModuleRef
	for _, m := range t.Closure(slices.Collect(maps.Keys(refs))...) {
		if r, ok := refs[m]; ok {
			order = append(order, r)
		}
	}
	return order
}

// Levels returns the modules built in img in groups: those of one group need
// none of each other, only those of groups before it, so that a group can be
// built side by side. Within a group they are sorted by name.
func (t *Tree) Levels(img *Image) [][]ModuleRef {
	level := map[string]int{}
	var levels [][]ModuleRef
	for _, r := range t.Order(img) {
		group := 0
		for _, need := range t.Closure(r.Name) {
			if l, built := level[need]; built && need != r.Name {
				group = max(group, l+1)
			}
		}
		level[r.Name] = group
		if group == len(levels) {
			levels = append(levels, nil)
		}
		levels[group] = append(levels[group], r)
	}
	for _, l := range levels {
		slices.SortFunc(l, func(a, b ModuleRef) int { return strings.Compare(a.Name, b.Name) })
	}
	return levels
}

// Chain returns the named image and what it is built on within the tree, the
// root of the hierarchy first and the image last; nil for an unknown name.
func (t *Tree) Chain(image asset.Name) []*Image {
	var chain []*Image
	for img := t.Images[image]; img != nil && !slices.Contains(chain, img); img = t.Images[img.Parent.Asset] {
		chain = append(chain, img)
	}
	slices.Reverse(chain)
	return chain
}

// IOCModules returns the modules whose dbds and libraries the IOC of img gets:
// its own, the root image's, and all that these need; needs first. That is the
// order for dbds; libraries are linked in the opposite one. It is empty for an
// image without IOC.
func (t *Tree) IOCModules(img *Image) []string {
	if img.IOC == nil {
		return nil
	}
	modules := slices.Clone(img.IOC.Modules)
	if chain := t.Chain(img.Name); len(chain) > 0 {
		for _, r := range chain[0].Modules {
			modules = append(modules, r.Name)
		}
	}
	return t.Closure(modules...)
}

// Dependents returns the names of the images that are built on the named one,
// directly or through others, parents before their children, otherwise by name.
func (t *Tree) Dependents(image asset.Name) []asset.Name {
	children := map[asset.Name][]asset.Name{}
	for _, name := range slices.Sorted(maps.Keys(t.Images)) {
		if p := t.Images[name].Parent.Asset; p != "" {
			children[p] = append(children[p], name)
		}
	}
	var all []asset.Name
	seen := map[asset.Name]bool{image: true}
	for next := children[image]; len(next) > 0; {
		var after []asset.Name
		for _, name := range next {
			if !seen[name] {
				seen[name] = true
				all = append(all, name)
				after = append(after, children[name]...)
			}
		}
		next = after
	}
	return all
}

// Builders returns the names of the images that build the module or one that
// needs it, sorted: what must be built anew when the module changes.
func (t *Tree) Builders(module string) []asset.Name {
	var names []asset.Name
	for name, img := range t.Images {
		needs := func(r ModuleRef) bool { return slices.Contains(t.Closure(r.Name), module) }
		if slices.ContainsFunc(img.Modules, needs) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// Packages returns the Debian packages that img's developer image names: its
// own and those of the modules built in it, sorted.
func (t *Tree) Packages(img *Image) []string {
	all := slices.Clone(img.Build)
	for _, ref := range img.Modules {
		all = append(all, t.Modules[ref.Name].Packages...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// Parents returns the releases that the generic IOCs of the tree are built on, each
// once, by name and version.
func (t *Tree) Parents() []asset.Pin {
	var pins []asset.Pin
	for _, img := range t.Images {
		if img.IOC != nil && !img.Parent.IsZero() && !slices.Contains(pins, img.Parent) {
			pins = append(pins, img.Parent)
		}
	}
	slices.SortFunc(pins, func(a, b asset.Pin) int { return strings.Compare(a.String(), b.String()) })
	return pins
}

// Ref returns the git ref at which an image of the tree builds a module, of the first
// one by name; empty where none builds it from git.
func (t *Tree) Ref(module string) string {
	for _, name := range slices.Sorted(maps.Keys(t.Images)) {
		for _, ref := range t.Images[name].Modules {
			if mod := t.Modules[module]; ref.Name == module && mod != nil && mod.Folder == "" {
				return ref.Ref
			}
		}
	}
	return ""
}
