package recipefile

import (
	"path"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// checkImages checks what no single image file can say by itself.
func (r *reader) checkImages() {
	edges := func(i asset.Name) []asset.Name {
		if r.tree.Images[i] == nil {
			return nil
		}
		return []asset.Name{r.tree.Images[i].Parent.Asset}
	}
	for _, c := range cycles(keys(r.tree.Images), edges) {
		last := c[len(c)-1]
		r.faultAt(
			r.imageDocs[last], strictyaml.Path{"from"}, "build one of them on something else",
			"images are built on each other: %s", round(c),
		)
	}
	for _, name := range keys(r.imageDocs) {
		doc, img := r.imageDocs[name], r.tree.Images[name]
		if doc == nil {
			continue
		}
		r.checkTargets(img, doc)
		r.checkRefs(img, doc)
		r.checkIOC(img, doc)
		r.checkSmoke(img, doc)
	}
}

// checkRefs wants a git ref for a module that is in git, and "tree" for one
// that is in the tree; what is in the tree has no ref from then on.
func (r *reader) checkRefs(img *recipe.Image, doc *strictyaml.Doc) {
	for i, ref := range img.Modules {
		place := strictyaml.Path{"modules", ref.Name}
		if !r.known(doc, place, ref.Name) {
			continue
		}
		mod := r.tree.Modules[ref.Name]
		switch {
		case mod.Folder != "" && ref.Ref != inTree:
			r.faultAt(
				doc, place, "write "+ref.Name+": "+inTree, "the source of %s is in the folder %s, not at %q in git",
				ref.Name, mod.Folder, ref.Ref,
			)
		case mod.Git != "" && ref.Ref == inTree:
			r.faultAt(
				doc, place, "name a tag, branch or commit of "+mod.Git,
				"the source of %s is in git, not in this repository", ref.Name,
			)
		case mod.Folder != "":
			img.Modules[i].Ref = ""
		}
	}
}

// checkIOC wants to know what an IOC binary is made of.
func (r *reader) checkIOC(img *recipe.Image, doc *strictyaml.Doc) {
	if img.IOC == nil {
		return
	}
	switch modules, source := doc.Has("ioc", "modules"), doc.Has("ioc", "source"); {
	case modules && source:
		r.faultAt(
			doc, strictyaml.Path{"ioc", "source"}, "keep one of the two",
			"the IOC is said to be both generated from modules and built from a folder of its own",
		)
	case !modules && !source:
		r.faultAt(
			doc, strictyaml.Path{"ioc"}, "add modules, or source with a folder of its own",
			"nothing says what the IOC is made of",
		)
	case img.IOC.Source != "":
		r.folder(doc, strictyaml.Path{"ioc", "source"}, path.Dir(img.File), img.IOC.Source)
	}
}
