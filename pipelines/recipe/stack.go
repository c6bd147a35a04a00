package recipe

import (
	"maps"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// Below is what an image is built on.
type Below struct {
	Images  []*Image           // the root of the hierarchy first; none for the root
	Modules map[string]*Module // that are built in them, by name
}

// Below returns what an image is built on as this tree has it, and reports
// whether all of that is here.
func (t *Tree) Below(img *Image) (Below, bool) {
	chain := t.Chain(img.Name)
	below := Below{Modules: map[string]*Module{}}
	for _, image := range chain {
		if image == img {
			continue
		}
		below.Images = append(below.Images, image)
		for _, ref := range image.Modules {
			if mod := t.Modules[ref.Name]; mod != nil {
				below.Modules[ref.Name] = mod
			}
		}
	}
	return below, len(chain) > 0 && chain[0].Parent.IsZero()
}

// On returns what img is made of: a tree of the image, of those that it is built
// on, and of the support modules built in them. The error joins everything that
// can't be together, a *diag.Error each.
func (t *Tree) On(img *Image, below Below) (*Tree, error) {
	faults := t.Faults(img, below)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	own := &Tree{Images: map[asset.Name]*Image{img.Name: img}, Modules: maps.Clone(below.Modules)}
	if own.Modules == nil {
		own.Modules = map[string]*Module{}
	}
	for _, image := range below.Images {
		own.Images[image.Name] = image
	}
	for _, ref := range img.Modules {
		own.Modules[ref.Name] = t.Modules[ref.Name]
	}
	return own, nil
}

// Faults returns what can't be together in an image of the tree and what it is
// built on, each with its place in the image's file.
func (t *Tree) Faults(img *Image, below Below) diag.Faults {
	s := stack{tree: t, img: img, doc: t.Docs[img.Name], below: below}
	s.checkTargets()
	s.checkModules()
	s.checkNeeds()
	s.checkIOC()
	return s.faults
}

// stack is an image and what it is built on.
type stack struct {
	tree   *Tree // that the image is of
	img    *Image
	doc    *strictyaml.Doc // of the image's file
	below  Below
	faults diag.Faults
}

// faultAt reports a fault of a piece of the image's file.
func (s *stack) faultAt(place strictyaml.Path, fix, format string, args ...any) {
	s.faults.Add(s.doc.Faultf(place, fix, format, args...))
}

// checkTargets refuses a target that the image below was not built for: EPICS
// Base and its modules would be missing for it.
func (s *stack) checkTargets() {
	if len(s.below.Images) == 0 {
		return
	}
	parent := s.below.Images[len(s.below.Images)-1]
	for i, t := range s.img.Targets {
		if Builds(t) && !slices.Contains(parent.Targets, t) {
			s.faultAt(
				strictyaml.Path{"targets", i}, "add it to the targets of "+string(parent.Name)+", and release that",
				"%s, which it is built on, is not built for %s", parent.Name, t,
			)
		}
	}
}

// checkModules refuses modules that can't be in one image together: two with one
// macro, one that is built twice.
func (s *stack) checkModules() {
	builtBy, macro := map[string]asset.Name{}, map[string]string{}
	for _, img := range append(slices.Clone(s.below.Images), s.img) {
		for _, ref := range img.Modules {
			place := strictyaml.Path{"modules", ref.Name}
			mod := s.module(ref.Name)
			if mod == nil {
				continue
			}
			if by, twice := builtBy[ref.Name]; twice && img == s.img {
				s.faultAt(place, "remove it here, or build on another image", "%s is already built in %s", ref.Name, by)
				continue
			}
			builtBy[ref.Name] = img.Name
			if other, taken := macro[mod.Macro]; taken && mod.Macro != "" && img == s.img {
				s.faultAt(
					place, "leave one of them out", "%s and %s both claim the macro %s", other, ref.Name, mod.Macro,
				)
			}
			macro[mod.Macro] = ref.Name
		}
	}
}

// module returns a module as it is in the image; nil for one that is not.
func (s *stack) module(name string) *Module {
	if mod := s.below.Modules[name]; mod != nil {
		return mod
	}
	if slices.ContainsFunc(s.img.Modules, func(ref ModuleRef) bool { return ref.Name == name }) {
		return s.tree.Modules[name]
	}
	return nil
}

// built returns the names of the modules that are in the image.
func (s *stack) built() []string {
	names := slices.Sorted(maps.Keys(s.below.Modules))
	for _, ref := range s.img.Modules {
		names = append(names, ref.Name)
	}
	return names
}

// checkNeeds refuses modules whose needs are not in the image; each need is said
// once.
func (s *stack) checkNeeds() {
	built, reported := s.built(), map[string]bool{}
	for _, ref := range s.img.Modules {
		if s.tree.Modules[ref.Name] == nil {
			continue
		}
		for _, need := range s.tree.needs(ref.Name) {
			if slices.Contains(built, need) || reported[need] {
				continue
			}
			fix := "add " + need + " to its modules, with a git ref"
			if s.tree.Modules[need] == nil {
				if s.img.Parent.IsZero() {
					continue // which was said where the need is named
				}
				fix = strictyaml.Meant(need, built, "build on an image that has it, or add "+ModulePath(need))
			}
			reported[need] = true
			s.faultAt(strictyaml.Path{"modules", ref.Name}, fix,
				"%s needs %s, which is built neither in %s nor in what it is built on", ref.Name, need, s.img.Name)
		}
	}
}

// checkIOC refuses an IOC of modules that are not in the image.
func (s *stack) checkIOC() {
	if s.img.IOC == nil {
		return
	}
	built := s.built()
	for i, m := range s.img.IOC.Modules {
		place := strictyaml.Path{"ioc", "modules", i}
		switch {
		case slices.Contains(built, m), !IsModuleName(m): // which the schema refuses
		case s.tree.Modules[m] != nil:
			s.faultAt(
				place, strictyaml.Meant(m, built, "add it to modules with a git ref"),
				"%s is built neither in %s nor in what it is built on", m, s.img.Name,
			)
		default:
			known := append(slices.Sorted(maps.Keys(s.tree.Modules)), built...)
			s.faultAt(place, strictyaml.Meant(m, known, "add "+ModulePath(m)), "there is no support module %q", m)
		}
	}
}
