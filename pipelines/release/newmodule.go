package release

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/debian"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/newmodule"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// NewModule asks for the recipe of a support module that nobody described yet.
type NewModule struct {
	URL, Ref string // of its source in git
	// From is what it is tried on: a released image, "ioc-parent 1.0"; or the name of
	// an image of the tree, "ioc-parent"; or empty, for what the generic IOCs of the
	// tree are built on.
	From   string
	Schema string // URL of the schema of its file; may be empty
	// Given.Needs may have a git ref, as in asyn=R4-45: that of a need that From does
	// not have.
	newmodule.Given
}

// NewModule finds the recipe of a support module that nobody described yet, from its
// source and its build, and proves it with an IOC that links and boots. files is a
// working copy; the support modules that the module may need have their recipes there,
// or are in what it is built on. It returns the text of the module's file by its path.
// Where the proof fails the text is returned too, with the error.
func (b Builder) NewModule(ctx context.Context, files fs.FS, w NewModule) (map[string]string, error) {
	t := newTrial(b, files, w)
	t.onEngine()
	text, err := t.run(ctx)
	if text == "" {
		return nil, err
	}
	return map[string]string{recipe.ModulePath(t.Name): text}, err
}

// Check refuses what can't be tried out whatever its source is. It needs no engine.
func (w NewModule) Check(files fs.FS) error { return newTrial(Builder{}, files, w).plan() }

// newTrial returns a trial, with the git refs taken from the names of needs.
func newTrial(b Builder, files fs.FS, w NewModule) *trial {
	t := &trial{Builder: b, NewModule: w, files: files, refs: map[string]string{}}
	t.Needs = nil
	for _, need := range w.Needs {
		name, ref, _ := strings.Cut(need, "=")
		t.Needs = append(t.Needs, name)
		t.refs[name] = ref
	}
	return t
}

// trial is a support module that is tried out.
type trial struct {
	Builder
	NewModule
	files   fs.FS
	recipes *recipe.Tree      // of the working copy
	refs    map[string]string // git refs of needs, by module

	img    *recipe.Image // the probe IOC
	below  recipe.Below  // what it is built on
	parent *image.Image
	lock   *lockfile.Lock

	// What only an engine can do.
	base  func(context.Context) error // finds the image that the module is built on
	fetch func(context.Context, *recipe.Module, func(fs.FS) error) error
	build func(context.Context, *recipe.Tree) (string, error) // what LookScript printed
	prove func(context.Context, *recipe.Tree) (*record.Test, error)
}

// run finds the recipe, and returns the text of its file.
func (t *trial) run(ctx context.Context) (string, error) {
	if err := t.plan(); err != nil {
		return "", err
	}
	if err := step.Run(ctx, "finding what it is built on", t.base); err != nil {
		return "", err
	}
	var found *newmodule.Recipe
	err := step.Run(ctx, "reading "+t.Name+" "+t.Ref, func(ctx context.Context) (err error) {
		found, err = t.read(ctx)
		return err
	})
	if err != nil {
		return "", err
	}
	tree, err := t.tree(found)
	if err != nil {
		return "", err
	}
	err = step.Run(ctx, "building "+t.Name, func(ctx context.Context) error {
		out, err := t.build(ctx, tree)
		if err != nil {
			return t.notBuilt(found, err)
		}
		built := newmodule.ReadBuilt(out, layout.Module(t.Name))
		found.Complete(built, t.dbdsBelow(tree), t.Without)
		return nil
	})
	if err != nil {
		return "", err
	}
	err = step.Run(ctx, "booting a probe IOC with "+t.Name, func(ctx context.Context) error {
		return t.proven(ctx, found)
	})
	return found.Text(t.Schema), err
}

// plan refuses what is no new module, and finds out what it is tried on.
func (t *trial) plan() (err error) {
	if t.recipes, err = recipefile.Read(t.files); err != nil {
		return err
	}
	t.Name = newmodule.Name(t.URL, t.Name)
	switch file := recipe.ModulePath(t.Name); {
	case !recipe.IsModuleName(t.Name):
		return t.refused("name it with --name, as in asyn or ADCore",
			"%q can't be its name: only letters, digits, - and _, at most 63", t.Name)
	case t.recipes.Modules[t.Name] != nil:
		return diag.Invalidf(file, 0, "give another --name, or take the file away",
			"it is there already, and nothing is overwritten")
	}
	t.img = &recipe.Image{
		Name: asset.Name("probe-" + strings.ToLower(t.Name)), File: recipe.ModulePath(t.Name),
		IOC: &recipe.IOC{Modules: []string{t.Name}},
	}
	if t.From == "" {
		if t.From, err = t.usual(); err != nil {
			return err
		}
	}
	if t.recipes.Images[asset.Name(t.From)] != nil {
		// Of the tree: its version is not asked for.
		t.img.Parent = asset.Pin{Asset: asset.Name(t.From)}
		return t.wellFormed()
	}
	if t.img.Parent, err = asset.ParsePin(t.From); err == nil {
		err = t.wellFormed()
	}
	return err
}

// usual returns what the generic IOCs of the tree are built on, or in a tree without
// one its only image.
func (t *trial) usual() (string, error) {
	var choice []string
	for _, pin := range t.recipes.Parents() {
		choice = append(choice, fmt.Sprintf("%q", pin.String()))
	}
	if len(choice) == 1 {
		return strings.Trim(choice[0], `"`), nil
	}
	images := asset.List(slices.Sorted(maps.Keys(t.recipes.Images)))
	if len(choice) == 0 && len(t.recipes.Images) == 1 {
		return images, nil
	}
	fix := "name it with --from: a release as in \"epics-base 7.0.8.1r1.0\""
	if len(choice) > 0 {
		fix = "name one with --from: " + strings.Join(choice, ", ")
	}
	if images != "" {
		fix += "; or an image of the tree, " + images
	}
	return "", t.refused(fix, "there is no one image that the generic IOCs of the tree are built on")
}

// wellFormed refuses what a person says and a recipe may not have, before anybody is asked
// for the source.
func (t *trial) wellFormed() error {
	if t.Ref == "" || strings.HasPrefix(t.Ref, "-") {
		return t.refused("name a tag, branch or commit", "%q is no git ref", t.Ref)
	}
	said := newmodule.Said(t.URL, t.Ref, t.Given)
	if said.Macro.Value == "" {
		said.Macro.Value = "FOUND_LATER"
	}
	_, err := t.module(said)
	return err
}

// module returns a recipe as its file will be read.
func (t *trial) module(r *newmodule.Recipe) (*recipe.Module, error) {
	return recipefile.ReadModule(t.Name, []byte(r.Text(t.Schema)))
}

// stand finds the image that the module is built on: a release, or an image of the tree,
// which is built.
func (t *trial) stand(ctx context.Context) (err error) {
	if t.img.Parent.Version.IsZero() {
		tree := &recipe.Tree{Images: maps.Clone(t.recipes.Images), Modules: t.recipes.Modules}
		tree.Images[t.img.Name] = t.img
		var whole bool
		if t.below, whole = tree.Below(t.img); !whole {
			return t.refused("name a release with --from",
				"%s can't be built: it is built on %s, which is not in the tree", t.From,
				tree.Chain(t.img.Name)[0].Parent)
		}
		t.parent, err = t.Builder.build(ctx, t.files, t.img.Parent, nil)
		return err
	}
	if t.Registry == nil {
		return t.refused("give --registry, or name an image of the tree with --from",
			"%s is a release, and no registry is named", t.From)
	}
	below, rec, err := t.lineage().Below(ctx, t.img)
	if err == nil {
		t.below, t.parent = below, t.pulled(rec)
	}
	return err
}

// known returns the support modules that the new one can be built with: those of what
// it is built on, and those of the tree.
func (t *trial) known() map[string]*recipe.Module {
	known := maps.Clone(t.recipes.Modules)
	maps.Copy(known, t.below.Modules)
	return known
}

// read reads the module's source.
func (t *trial) read(ctx context.Context) (found *newmodule.Recipe, err error) {
	mod := &recipe.Module{Name: t.Name, File: t.img.File, Git: t.URL}
	err = t.fetch(ctx, mod, func(src fs.FS) error {
		found, err = newmodule.Describe(src, t.URL, t.Ref, t.Given, t.known())
		return err
	})
	return found, err
}

// tree returns what the probe IOC is made of: the module as far as it is known, the
// needs that what it is built on lacks, and all that is there.
func (t *trial) tree(found *newmodule.Recipe) (*recipe.Tree, error) {
	mod, err := t.module(found)
	if err != nil {
		return nil, err
	}
	tree := &recipe.Tree{Images: map[asset.Name]*recipe.Image{t.img.Name: t.img}, Modules: t.known()}
	tree.Modules[t.Name] = mod
	for _, img := range t.below.Images {
		tree.Images[img.Name] = img
	}
	t.img.Modules = nil
	for _, need := range tree.Closure(t.Name) {
		switch {
		case need == t.Name:
			t.img.Modules = append(t.img.Modules, recipe.ModuleRef{Name: t.Name, Ref: t.Ref})
		case tree.Modules[need] == nil:
			return nil, t.refused("describe it first with tagline module add, or leave out --need "+need,
				"it needs %s, and there is no recipe of that", need)
		case t.below.Modules[need] == nil:
			ref, err := t.refOf(need)
			if err != nil {
				return nil, err
			}
			t.img.Modules = append(t.img.Modules, recipe.ModuleRef{Name: need, Ref: ref})
		}
	}
	return tree, nil
}

// refOf returns the git ref of a need that is built with the module.
func (t *trial) refOf(need string) (ref string, err error) {
	if t.recipes.Modules[need].Folder != "" {
		return "tree", nil
	}
	if ref = t.refs[need]; ref == "" {
		ref = t.recipes.Ref(need)
	}
	if ref == "" && t.Ask != nil {
		ref, err = t.Ask(newmodule.Question{
			Of: need, Text: fmt.Sprintf("it needs %s, which %s does not have: at which git ref?", need, t.From),
			Else: "nothing is built",
		})
		t.refs[need] = ref
	}
	if ref == "" && err == nil {
		err = t.refused(
			fmt.Sprintf("give its git ref, as in --need %s=R1-0, or build on an image that has it, or leave it out "+
				"with --without %[1]s", need),
			"it needs %s, which %s does not have, and no image of the tree builds it", need, t.From,
		)
	}
	return ref, err
}

// dbdsBelow returns the dbds that an IOC with what the module needs has without it.
func (t *trial) dbdsBelow(tree *recipe.Tree) (names []string) {
	for _, need := range tree.IOCModules(t.img) {
		if need != t.Name {
			names = append(names, tree.Modules[need].DBDs...)
		}
	}
	return names
}

// proven boots an IOC with the module as it is described now.
func (t *trial) proven(ctx context.Context, found *newmodule.Recipe) error {
	tree, err := t.tree(found)
	if err != nil {
		return err
	}
	test, err := t.prove(ctx, tree)
	switch {
	case err != nil:
		return t.failed(err, "leave out with --without the dbd or library that does not belong to it, or add what is "+
			"missing with --need, --package or --config")
	case !test.Passed:
		faults := strings.ReplaceAll(verdict([]record.Test{*test}).Error(), "\n", "\n  ")
		return t.failed(errors.New("an IOC with it does not boot\n  "+faults),
			"leave out with --without what does not belong to it, or mend its source with a patch")
	}
	found.Proof = fmt.Sprintf("on %s an IOC with it links and boots: %s", t.From, strings.Join(test.Evidence[:1], ""))
	return nil
}

// notBuilt is the error of a module whose build failed, with what may be missing.
func (t *trial) notBuilt(found *newmodule.Recipe, err error) error {
	fix := "add what is missing with --package, --config or --skip"
	var lacking []string
	for _, f := range found.Without {
		lacking = append(lacking, f.Value)
	}
	if len(lacking) > 0 {
		fix += "; it was built without " + strings.Join(lacking, ", ") +
			", which it may need: describe what there is no recipe of first"
	}
	if len(found.Switches) > 0 {
		fix += "; its configure/CONFIG_SITE has " + strings.Join(found.Switches, ", ")
	}
	return t.failed(err, fix)
}

// failed is the error of a module that could not be tried out, for what a command or
// an IOC of it printed. Other errors are told as they are.
func (t *trial) failed(err error, fix string) error {
	var missing []string
	for _, one := range diag.All(err) {
		if no := (*debian.MissingError)(nil); errors.As(one, &no) {
			missing = append(missing, no.Packages...)
		}
	}
	if len(missing) > 0 { // the file that names them is not written yet
		return t.refused("leave it out with --without "+missing[0]+", and name another with --package",
			"Debian has no package %s", strings.Join(missing, ", "))
	}
	e := (*diag.Error)(nil)
	if _, failed := engine.Failed(err); !failed && errors.As(err, &e) {
		return err
	}
	if errors.As(err, &e) && e.Doing != "" {
		err = fmt.Errorf("%s: %w", strings.TrimSuffix(e.Doing, " for"), e.Err)
	}
	return &diag.Error{
		Kind: diag.Invalid, Doing: "trying out", Asset: t.Name, Version: t.Ref, Err: err, Fix: fix,
	}
}

// refused is the error of a module that can't be tried out as it is asked for.
func (t *trial) refused(fix, format string, args ...any) error {
	return &diag.Error{
		Kind: diag.Invalid, Doing: "describing", Asset: t.Name, Err: fmt.Errorf(format, args...), Fix: fix,
	}
}
