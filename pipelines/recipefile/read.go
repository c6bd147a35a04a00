// Package recipefile reads generic-iocs/ as people write it, and says what is
// wrong with it.
package recipefile

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// inTree is the ref of a module whose source is in the tree.
const inTree = "tree"

// Read reads all recipes of a tree. A tree without generic-iocs/ has none. What
// an image is built on is a release, of this repository or another: what the two
// have together is checked by Tree.On. The error joins every fault of every file,
// a *diag.Error each, by file and line; there is no Tree then.
func Read(fsys fs.FS) (*recipe.Tree, error) {
	r := read(fsys)
	for _, name := range keys(r.tree.Images) {
		if img := r.tree.Images[name]; img.Base != "" {
			r.stack(img, recipe.Below{})
		}
	}
	return r.result()
}

// ReadAlone reads all recipes of a tree as Read does, and checks each image with
// those of the tree that it is built on, whatever is released. It returns the
// images that are built on one that the tree does not have.
func ReadAlone(fsys fs.FS) (*recipe.Tree, []*recipe.Image, error) {
	r := read(fsys)
	var outside []*recipe.Image
	for _, name := range keys(r.tree.Images) {
		img := r.tree.Images[name]
		below, ok := r.tree.Below(img)
		if !ok {
			outside = append(outside, img)
			continue
		}
		r.stack(img, below)
	}
	tree, err := r.result()
	return tree, outside, err
}

// ReadModule reads the text of one support module's file, which need not be there yet. It
// is checked as far as it can be without the rest of the tree.
func ReadModule(name string, text []byte) (*recipe.Module, error) {
	r := newReader(nil)
	r.moduleText(name, text)
	if doc := r.moduleDocs[name]; doc != nil {
		r.checkSource(r.tree.Modules[name], doc)
		r.checkMacro(r.tree.Modules[name], doc)
		r.checkLicence(r.tree.Modules[name], doc)
	}
	if err := r.faults.Err(); err != nil {
		return nil, err
	}
	return r.tree.Modules[name], nil
}

// read reads all files, and checks what needs no other release.
func read(fsys fs.FS) *reader {
	r := newReader(fsys)
	for _, e := range r.list(recipe.Dir) {
		if e.IsDir() && e.Name() != "support" && !strings.HasPrefix(e.Name(), ".") {
			r.image(e.Name())
		}
	}
	for _, e := range r.list(recipe.Support) {
		if !e.IsDir() {
			r.module(e.Name())
		}
	}
	r.tree.Docs = r.imageDocs
	r.checkModules()
	r.checkImages()
	return r
}

func newReader(fsys fs.FS) *reader {
	return &reader{
		fsys:       fsys,
		tree:       &recipe.Tree{Images: map[asset.Name]*recipe.Image{}, Modules: map[string]*recipe.Module{}},
		imageDocs:  map[asset.Name]*strictyaml.Doc{},
		moduleDocs: map[string]*strictyaml.Doc{},
	}
}

// result returns the tree, or all that is wrong with it.
func (r *reader) result() (*recipe.Tree, error) {
	if err := r.faults.Err(); err != nil {
		return nil, err
	}
	return r.tree, nil
}

// reader holds what was read, and what is wrong with it.
type reader struct {
	fsys       fs.FS // nil where there is no tree
	tree       *recipe.Tree
	imageDocs  map[asset.Name]*strictyaml.Doc // nil for a file that is no YAML
	moduleDocs map[string]*strictyaml.Doc
	faults     diag.Faults
}

// list returns a folder's entries; none where there is no such folder.
func (r *reader) list(folder string) []fs.DirEntry {
	entries, err := fs.ReadDir(r.fsys, folder)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.fault(folder, "replace it by a folder", "it can't be listed: %w", err)
	}
	return entries
}

// stack checks an image with what it is built on.
func (r *reader) stack(img *recipe.Image, below recipe.Below) {
	if r.imageDocs[img.Name] != nil {
		r.faults = append(r.faults, r.tree.Faults(img, below)...)
	}
}

// fault reports something of a file or folder as a whole.
func (r *reader) fault(file, fix, format string, args ...any) {
	r.faults.Addf(file, 0, fix, format, args...)
}

// image reads one image's folder.
func (r *reader) image(folder string) {
	file := path.Join(recipe.Dir, folder, "image.yaml")
	if problems := validation.IsDNS1123Label(folder); len(problems) > 0 {
		r.fault(
			path.Dir(file), "rename the folder, as in ioc-simstage",
			"%q can't be an image's name: only lower-case letters, digits and -, at most 63", folder,
		)
	}
	// What is no valid name, or can't be read, still has an entry that others may refer to.
	name := asset.Name(folder)
	img := &recipe.Image{Name: name, File: file}
	r.tree.Images[name] = img
	text, err := fs.ReadFile(r.fsys, file)
	if err != nil {
		r.fault(
			file, "add it, or move the folder out of "+recipe.Dir,
			"every folder here is an image, and this one has no image.yaml",
		)
		return
	}
	f, doc, err := imageSchema().Read(file, text)
	r.faults.Add(err)
	r.imageDocs[name] = doc
	if f == nil {
		return
	}
	r.from(img, f.From, doc)
	for _, m := range doc.Keys("modules") {
		if doc.Good("modules", m) {
			img.Modules = append(img.Modules, recipe.ModuleRef{
				Name: m, Ref: string(f.Modules[m]), Line: doc.Line("modules", m),
			})
		}
	}
	img.Targets, img.Lines = texts(f.Targets), map[string]int{}
	lines(img.Lines, doc, img.Targets, "targets")
	if f.Packages != nil {
		img.Build, img.Run = texts(f.Packages.Build), texts(f.Packages.Run)
		lines(img.Lines, doc, img.Build, "packages", "build")
		lines(img.Lines, doc, img.Run, "packages", "run")
	}
	if f.IOC != nil {
		img.IOC = &recipe.IOC{Modules: texts(f.IOC.Modules), Source: f.IOC.Source}
	}
	img.Startup = f.Startup
	for _, fault := range f.Startup.Check(doc, strictyaml.Path{"startup"}) {
		r.faults.Add(fault)
	}
	if f.Smoke != nil {
		img.Smoke = &recipe.Smoke{Config: f.Smoke.Config, Checks: checks(f.Smoke.Checks, doc), Restart: f.Smoke.Restart,
			Beside: simulators(f.Smoke.Beside, path.Dir(file))}
	}
}

// simulators returns the simulators of a smoke test, their folders from the root.
func simulators(files []simulatorFile, base string) []recipe.Simulator {
	var all []recipe.Simulator
	for _, s := range files {
		one := recipe.Simulator{Image: s.Image, Folder: s.Folder, Command: s.Command}
		if fs.ValidPath(s.Folder) && s.Folder != "." { // others are refused as they are written
			one.Folder = path.Join(base, s.Folder)
		}
		all = append(all, one)
	}
	return all
}

// checks returns the checks of a smoke test with their lines.
func checks(files []checkFile, doc *strictyaml.Doc) []recipe.Check {
	var all []recipe.Check
	for i, c := range files {
		check := recipe.Check{
			PV: string(c.PV), Line: doc.Line("smoke", "checks", i),
			Value: c.Value, Min: c.Min, Max: c.Max, Advances: c.Advances,
			Units: c.Units, Severity: c.Severity, Type: c.Type,
			Put: c.Put, Reads: string(c.Reads),
		}
		if c.Within != nil {
			check.Within = *c.Within
		}
		all = append(all, check)
	}
	return all
}

// module reads one file of generic-iocs/support.
func (r *reader) module(base string) {
	file := path.Join(recipe.Support, base)
	name, ok := strings.CutSuffix(base, ".yaml")
	if !ok {
		if ext := path.Ext(base); strings.EqualFold(ext, ".yaml") || strings.EqualFold(ext, ".yml") {
			r.fault(file, "rename it to "+strings.TrimSuffix(base, ext)+".yaml", "support modules are in .yaml files")
		}
		return
	}
	if !recipe.IsModuleName(name) {
		r.fault(
			file, "rename the file, as in asyn.yaml",
			"%q can't be a support module's name: only letters, digits, - and _", name,
		)
	}
	text, err := fs.ReadFile(r.fsys, file)
	if err != nil {
		r.tree.Modules[name] = &recipe.Module{Name: name, File: file}
		r.fault(file, "replace it by a file", "it can't be read: %w", err)
		return
	}
	r.moduleText(name, text)
}

// moduleText reads the text of a support module's file.
func (r *reader) moduleText(name string, text []byte) {
	file := recipe.ModulePath(name)
	mod := &recipe.Module{Name: name, File: file}
	r.tree.Modules[name] = mod
	f, doc, err := moduleSchema().Read(file, text)
	r.faults.Add(err)
	r.moduleDocs[name] = doc
	if f == nil {
		return
	}
	*mod = recipe.Module{
		Name: name, File: file, Git: f.Git, Folder: f.Folder, Submodules: f.Submodules,
		Macro: f.Macro, Needs: texts(f.Needs), Packages: texts(f.Packages), Config: texts(f.Config),
		Patches: texts(f.Patches), Skip: texts(f.Skip), Tests: f.Tests, Licence: f.Licence,
		DBDs: texts(f.DBDs), Libs: texts(f.Libs), Files: texts(f.Files), Lines: map[string]int{},
	}
	for key, names := range map[string][]string{
		"packages": mod.Packages, "patches": mod.Patches, "skip": mod.Skip,
		"dbds": mod.DBDs, "libs": mod.Libs, "files": mod.Files,
	} {
		lines(mod.Lines, doc, names, key)
	}
	if f.Tests {
		mod.Lines["tests"] = doc.Line("tests")
	}
}

// lines notes in which line of a file each name of a list stands.
func lines(into map[string]int, doc *strictyaml.Doc, names []string, key ...any) {
	for i, n := range names {
		into[n] = doc.Line(append(key, i)...)
	}
}

// texts returns a list of named texts as plain ones.
func texts[T ~string](list []T) []string {
	var plain []string
	for _, t := range list {
		plain = append(plain, string(t))
	}
	return plain
}
