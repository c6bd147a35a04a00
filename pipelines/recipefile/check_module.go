package recipefile

import (
	"io/fs"
	"maps"
	"path"
	"slices"

	"github.com/github/go-spdx/v2/spdxexp"

	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// reserved are macros of configure/RELEASE that no support module may be.
var reserved = []string{"SUPPORT", "TOP", "EPICS_HOST_ARCH", "INSTALL_LOCATION"}

// checkModules checks what no single support file shows by itself.
func (r *reader) checkModules() {
	for _, name := range keys(r.moduleDocs) {
		if doc := r.moduleDocs[name]; doc != nil {
			r.checkSource(r.tree.Modules[name], doc)
			r.checkMacro(r.tree.Modules[name], doc)
			r.checkNeeds(r.tree.Modules[name], doc)
			r.checkPatches(r.tree.Modules[name], doc)
			r.checkLicence(r.tree.Modules[name], doc)
		}
	}
	if r.tree.Modules[recipe.Base] == nil && slices.ContainsFunc(keys(r.tree.Modules), r.alone) {
		r.fault(
			recipe.ModulePath(recipe.Base), "add it",
			"every support module is built against %s, and this file is missing", recipe.Base,
		)
	}
	edges := func(m string) []string {
		if r.tree.Modules[m] == nil {
			return nil
		}
		return r.tree.Modules[m].Needs
	}
	for _, c := range cycles(keys(r.tree.Modules), edges) {
		last := c[len(c)-1]
		needs := r.tree.Modules[last].Needs
		place := strictyaml.Path{"needs", slices.Index(needs, c[0])}
		r.faultAt(
			r.moduleDocs[last], place, "take one of these needs out", "support modules need each other: %s", round(c),
		)
	}
}

// checkSource wants exactly one place where a module's source is.
func (r *reader) checkSource(mod *recipe.Module, doc *strictyaml.Doc) {
	switch {
	case doc.Has("git") && doc.Has("folder"):
		r.faultAt(
			doc, strictyaml.Path{"folder"}, "keep one of the two",
			"the source is said to be both in git and in a folder of this repository",
		)
	case !doc.Has("git") && !doc.Has("folder"):
		r.faultAt(
			doc, nil, "add git with the URL of its repository, or folder when the source is in this one",
			"nothing says where the source of %s is", mod.Name,
		)
	case mod.Folder != "" && r.fsys != nil:
		r.folder(doc, strictyaml.Path{"folder"}, "", mod.Folder)
	}
	if doc.Has("folder") && len(mod.Submodules) > 0 {
		r.faultAt(doc, strictyaml.Path{"submodules"}, "remove it", "a folder of this repository has no submodules")
	}
	for i, s := range mod.Submodules {
		if s != "" && (!fs.ValidPath(s) || s == "." || s[0] == '-') {
			r.faultAt(
				doc, strictyaml.Path{"submodules", i}, "write its path as .gitmodules has it",
				"%q is not the path of a submodule", s,
			)
		}
	}
}

// checkMacro keeps the macro of EPICS Base and those of the build system free.
func (r *reader) checkMacro(mod *recipe.Module, doc *strictyaml.Doc) {
	place := strictyaml.Path{"macro"}
	switch isBase := mod.Name == recipe.Base; {
	case isBase && mod.Macro != "" && mod.Macro != "EPICS_BASE":
		r.faultAt(doc, place, "write EPICS_BASE", "the macro of %s is EPICS_BASE", recipe.Base)
	case !isBase && mod.Macro == "EPICS_BASE":
		r.faultAt(doc, place, "name the module's own", "EPICS_BASE is the macro of %s", recipe.Base)
	case slices.Contains(reserved, mod.Macro):
		r.faultAt(doc, place, "name the module's own", "%s has another meaning in configure/RELEASE", mod.Macro)
	}
}

// alone reports whether what a module needs is in this tree, or nowhere: no image
// builds it that has a released parent, nor could one of another tree bring it.
func (r *reader) alone(module string) bool {
	built, outside := false, false
	for _, img := range r.tree.Images {
		if slices.ContainsFunc(img.Modules, func(ref recipe.ModuleRef) bool { return ref.Name == module }) {
			if built = true; !img.Parent.IsZero() {
				return false
			}
		}
		outside = outside || !img.Parent.IsZero() && r.tree.Images[img.Parent.Asset] == nil
	}
	return built || !outside
}

// checkNeeds refuses needs that there are no files for.
func (r *reader) checkNeeds(mod *recipe.Module, doc *strictyaml.Doc) {
	if !r.alone(mod.Name) {
		return
	}
	for i, n := range mod.Needs {
		if n != recipe.Base {
			r.known(doc, strictyaml.Path{"needs", i}, n)
		}
	}
}

// checkPatches refuses patches that are not there, and those of a source that
// can be edited itself.
func (r *reader) checkPatches(mod *recipe.Module, doc *strictyaml.Doc) {
	if mod.Folder != "" && len(mod.Patches) > 0 {
		r.faultAt(
			doc, strictyaml.Path{"patches"}, "change the files in "+mod.Folder,
			"a folder of this repository needs no patches",
		)
	}
	for i, p := range mod.Patches {
		if path.Base(p) != p {
			continue // which the schema refuses
		}
		if _, err := fs.Stat(r.fsys, recipe.PatchPath(p)); err != nil {
			r.faultAt(
				doc, strictyaml.Path{"patches", i}, "add it, or correct the name", "there is no file %s",
				recipe.PatchPath(p),
			)
		}
	}
}

// checkLicence refuses what is no SPDX licence expression:
// https://spdx.github.io/spdx-spec/v2.3/SPDX-license-expressions/
func (r *reader) checkLicence(mod *recipe.Module, doc *strictyaml.Doc) {
	if mod.Licence == "" {
		return
	}
	if _, err := spdxexp.ExtractLicenses(mod.Licence); err != nil {
		r.faultAt(
			doc, strictyaml.Path{"licence"}, "write it as in EPICS, LGPL-3.0-or-later or LicenseRef-ours",
			"%q is no licence expression of SPDX", mod.Licence,
		)
	}
}

// known reports whether there is a file for a support module, and refuses the
// name where there is none.
func (r *reader) known(doc *strictyaml.Doc, place strictyaml.Path, module string) bool {
	if r.tree.Modules[module] != nil {
		return true
	}
	if !recipe.IsModuleName(module) {
		return false // which the schema refuses
	}
	fix := strictyaml.Meant(module, keys(r.tree.Modules), "add "+recipe.ModulePath(module))
	r.faultAt(doc, place, fix, "there is no support module %q", module)
	return false
}

// folder refuses a folder that is not below base, or not there; it returns the
// folder's path from the tree's root.
func (r *reader) folder(doc *strictyaml.Doc, place strictyaml.Path, base, dir string) (string, bool) {
	if !fs.ValidPath(dir) || dir == "." {
		where := "the repository"
		if base != "" {
			where = base
		}
		r.faultAt(
			doc, place, "name a folder below it, without a leading or trailing / and without ..",
			"%q is not a folder below %s", dir, where,
		)
		return "", false
	}
	full := path.Join(base, dir)
	if info, err := fs.Stat(r.fsys, full); err != nil || !info.IsDir() {
		r.faultAt(doc, place, "add it, or correct the name", "there is no folder %s", full)
		return "", false
	}
	return full, true
}

// faultAt reports a fault of a piece of a file.
func (r *reader) faultAt(doc *strictyaml.Doc, place strictyaml.Path, fix, format string, args ...any) {
	r.faults = append(r.faults, doc.Faultf(place, fix, format, args...))
}

// keys returns a map's keys, sorted.
func keys[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
