package recipe

import (
	"path"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// checkImages checks what no single image file can tell by itself.
func (r *reader) checkImages() {
	edges := func(i string) []string {
		if r.tree.Images[i] == nil {
			return nil
		}
		return []string{string(r.tree.Images[i].Parent.Asset)}
	}
	for _, c := range cycles(keys(r.tree.Images), edges) {
		last := c[len(c)-1]
		r.say(r.imageDocs[last], strictyaml.Path{"from"}, "build one of them on something else", "images are built on each other: %s", round(c))
	}
	for _, name := range keys(r.imageDocs) {
		doc, img := r.imageDocs[name], r.tree.Images[name]
		if doc == nil {
			continue
		}
		r.checkParent(img, doc)
		r.checkTargets(img, doc)
		r.checkRefs(img, doc)
		r.checkChain(img, doc)
		r.checkIOC(img, doc)
		r.checkSmoke(img, doc)
	}
}

// checkRefs wants a git ref for a module that is in git, and "tree" for one
// that is in the tree; what is in the tree has no ref from then on.
func (r *reader) checkRefs(img *Image, doc *strictyaml.Doc) {
	for i, ref := range img.Modules {
		at := strictyaml.Path{"modules", ref.Name}
		if !r.known(doc, at, ref.Name) {
			continue
		}
		mod := r.tree.Modules[ref.Name]
		switch {
		case mod.Folder != "" && ref.Ref != inTree:
			r.say(doc, at, "write "+ref.Name+": "+inTree, "the source of %s is in the folder %s, not at %q in git", ref.Name, mod.Folder, ref.Ref)
		case mod.Git != "" && ref.Ref == inTree:
			r.say(doc, at, "name a tag, branch or commit of "+mod.Git, "the source of %s is in git, not in this repository", ref.Name)
		case mod.Folder != "":
			img.Modules[i].Ref = ""
		}
	}
}

// checkChain refuses modules that can't be in one image together: two with one
// macro, one built twice, one whose needs are nowhere.
func (r *reader) checkChain(img *Image, doc *strictyaml.Doc) {
	builtBy, macro := map[string]string{}, map[string]string{}
	for _, i := range r.tree.Chain(img.Name) {
		for _, ref := range i.Modules {
			at := strictyaml.Path{"modules", ref.Name}
			mod := r.tree.Modules[ref.Name]
			if mod == nil {
				continue
			}
			if by, twice := builtBy[ref.Name]; twice && i == img {
				r.say(doc, at, "remove it here, or build on another image", "%s is already built in %s", ref.Name, by)
				continue
			}
			builtBy[ref.Name] = i.Name
			if other, taken := macro[mod.Macro]; taken && mod.Macro != "" && i == img {
				r.say(doc, at, "leave one of them out", "%s and %s both claim the macro %s", other, ref.Name, mod.Macro)
			}
			macro[mod.Macro] = ref.Name
		}
	}
	r.checkBuilt(img, doc, builtBy)
}

// checkBuilt refuses modules whose needs are built nowhere; each need is told
// once.
func (r *reader) checkBuilt(img *Image, doc *strictyaml.Doc, builtBy map[string]string) {
	told := map[string]bool{}
	for _, ref := range img.Modules {
		if r.tree.Modules[ref.Name] == nil {
			continue
		}
		for _, need := range r.tree.needs(ref.Name) {
			if builtBy[need] != "" || told[need] || r.tree.Modules[need] == nil {
				continue
			}
			told[need] = true
			r.say(doc, strictyaml.Path{"modules", ref.Name}, "add "+need+" to its modules, with a git ref", "%s needs %s, which is built neither in %s nor in what it is built on", ref.Name, need, img.Name)
		}
	}
}

// checkIOC wants an IOC binary that can be made of what is in the image.
func (r *reader) checkIOC(img *Image, doc *strictyaml.Doc) {
	if img.IOC == nil {
		return
	}
	switch modules, source := doc.Has("ioc", "modules"), doc.Has("ioc", "source"); {
	case modules && source:
		r.say(doc, strictyaml.Path{"ioc", "source"}, "keep one of the two", "the IOC is said to be both generated from modules and built from a folder of its own")
	case !modules && !source:
		r.say(doc, strictyaml.Path{"ioc"}, "add modules, or source with a folder of its own", "nothing says what the IOC is made of")
	case img.IOC.Source != "":
		r.folder(doc, strictyaml.Path{"ioc", "source"}, path.Dir(img.File), img.IOC.Source)
	}
	built := r.built(img)
	for i, m := range img.IOC.Modules {
		at := strictyaml.Path{"ioc", "modules", i}
		if r.known(doc, at, m) && !slices.Contains(built, m) {
			fix := r.meant(m, built, "add it to modules with a git ref")
			r.say(doc, at, fix, "%s is built neither in %s nor in what it is built on", m, img.Name)
		}
	}
}

// built gives the names of the modules that are built in img or in what it is
// built on.
func (r *reader) built(img *Image) []string {
	var names []string
	for _, i := range r.tree.Chain(img.Name) {
		for _, ref := range i.Modules {
			names = append(names, ref.Name)
		}
	}
	return names
}
