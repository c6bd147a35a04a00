package image

import (
	"context"
	_ "embed"
	"errors"
	"maps"
	"slices"
	"strings"

	"dagger.io/dagger"
	"golang.org/x/sync/errgroup"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// noTests goes to the top of EPICS Base's configure/RULES_DIRS, which support
// modules read too: make then leaves tests and examples out. They take a quarter
// of the compilers' time and nothing of theirs runs at a beamline.
const noTests = `SKIPPED = test% %/unittest unitTests example%
DIRS := $(filter-out $(SKIPPED),$(DIRS))
$(foreach dir,$(DIRS),$(eval $(dir)_DEPEND_DIRS := $(filter-out $(SKIPPED),$($(dir)_DEPEND_DIRS))))
`

// modules takes the support modules of img from the former release, or builds them side
// by side, each in a container of its own with only its needs, and returns dev with all
// their folders.
func (b Builder) modules(
	ctx context.Context, img *recipe.Image, parent *Image, dev *dagger.Container,
) (*dagger.Container, []record.Source, error) {
	order := b.Tree.Order(img)
	pinned, err := b.pinned(ctx, img, order)
	if err != nil {
		return nil, nil, err
	}
	sources, err := b.Inputs(img, parent, pinned)
	if err != nil {
		return nil, nil, err
	}
	folders, err := b.taken(ctx, img, sources)
	if err != nil {
		return nil, nil, err
	}
	sayTaken(ctx, img, sources)
	files, err := b.fetched(ctx, img, order, sources)
	if err != nil {
		return nil, nil, err
	}
	if folders, err = b.built(ctx, img, dev, files, folders); err != nil {
		return nil, nil, err
	}
	for _, ref := range order {
		dev = dev.WithDirectory("/", b.placed(ref.Name, folders[ref.Name]))
	}
	return dev, sources, nil
}

// placed returns the built folder of a module at its place below the root of an image.
// It and the folders above it have a fixed time, those inside have their own: so the
// layer that it becomes has the same bytes wherever the folder comes from, and a node
// that has the layer does not pull it again.
func (b Builder) placed(module string, folder *dagger.Directory) *dagger.Directory {
	place := layout.Module(module)
	above := b.Client.Directory().
		WithNewDirectory(place, dagger.DirectoryWithNewDirectoryOpts{Permissions: 0o755}).
		WithTimestamps(layout.Time)
	return b.Client.Directory().WithDirectory(place, folder).WithDirectory("/", above)
}

// built returns the folders of all modules of img, by name: those that were taken, and
// beside them those that are built on dev, whose sources are in files.
func (b Builder) built(
	ctx context.Context, img *recipe.Image, dev *dagger.Container, files, taken map[string]*dagger.Directory,
) (map[string]*dagger.Directory, error) {
	folders := map[string]*dagger.Directory{}
	maps.Copy(folders, taken)
	order := slices.DeleteFunc(b.Tree.Order(img), func(ref recipe.ModuleRef) bool { return taken[ref.Name] != nil })
	containers := make([]*dagger.Container, len(order))
	for i, ref := range order {
		containers[i] = b.module(dev, b.Tree.Modules[ref.Name], files[ref.Name], folders)
		folders[ref.Name] = containers[i].Directory(layout.Module(ref.Name))
	}
	// Asking for all at once lets the engine build unrelated ones side by side.
	errs := make([]error, len(order))
	var g errgroup.Group
	for i, ref := range order {
		g.Go(func() error {
			_, err := folders[ref.Name].Sync(ctx)
			if errs[i] = moduleFault("building", img, ref, err, mendModule(b.Tree.Modules[ref.Name])); err == nil {
				errs[i] = b.promised(ctx, b.Tree.Modules[ref.Name], containers[i])
			}
			return nil
		})
	}
	g.Wait()
	return folders, withoutEchoes(errs)
}

// pinned returns the pinned source of each module, and every fault.
func (b Builder) pinned(ctx context.Context, img *recipe.Image, order []recipe.ModuleRef) ([]record.Source, error) {
	all := make([]record.Source, len(order))
	err := step.EachIndex(ctx, len(order), len(order), func(ctx context.Context, i int) (err error) {
		all[i], err = b.fetcher().Pinned(ctx, b.wanted(img, order[i]), b.Locks[img.Name].Modules[order[i].Name])
		return err
	})
	return all, err
}

// fetched returns the sources, as they are built, of the modules that are not taken, by
// name, and every fault.
func (b Builder) fetched(
	ctx context.Context, img *recipe.Image, order []recipe.ModuleRef, sources []record.Source,
) (map[string]*dagger.Directory, error) {
	files := make([]*dagger.Directory, len(order))
	err := step.EachIndex(ctx, len(order), len(order), func(ctx context.Context, i int) (err error) {
		if sources[i].From == nil {
			files[i], err = b.fetch(ctx, img, order[i], sources[i].Commit)
		}
		return err
	})
	byName := map[string]*dagger.Directory{}
	for i, ref := range order {
		byName[ref.Name] = files[i]
	}
	return byName, err
}

// fetch returns the source of one module at a commit, as it is built.
func (b Builder) fetch(
	ctx context.Context, img *recipe.Image, ref recipe.ModuleRef, commit string,
) (*dagger.Directory, error) {
	mod := b.Tree.Modules[ref.Name]
	files, err := b.fetcher().Fetch(ctx, mod, commit)
	if err == nil {
		files, err = b.configured(ctx, img, mod, files)
	}
	if known := (*diag.Error)(nil); err != nil && !errors.As(err, &known) {
		err = moduleFault("fetching", img, ref, err, "check the URL in "+mod.File+", or name a mirror with --mirror")
	}
	return files, err
}

//go:embed tests.sh
var testsScript string

// module describes the build of one support module on dev, and returns the
// container that holds it and its needs. built are those built before it.
func (b Builder) module(dev *dagger.Container, mod *recipe.Module, source *dagger.Directory,
	built map[string]*dagger.Directory) *dagger.Container {
	c := dev
	for _, need := range b.Tree.Closure(mod.Name) {
		if d, ok := built[need]; ok && need != mod.Name {
			c = c.WithMountedDirectory(layout.Module(need), d)
		}
	}
	dir := layout.Module(mod.Name)
	return c.WithMountedDirectory(dir, source).WithWorkdir(dir).
		WithExec(engine.Shell(b.buildScript(mod)))
}

// builtDBDs is the file that buildScript writes the output of dbdScript to.
const builtDBDs = "/tmp/dbds"

// buildScript returns the script that builds a module in its folder, removes what only
// its makefiles read, and writes the database definition files that the module and its
// needs have to builtDBDs. It is one, because the engine takes as long for another command
// as the compiler for a small module.
func (b Builder) buildScript(mod *recipe.Module) string {
	script := `make -j"$(nproc)" || exit` + "\n"
	if mod.Tests {
		script = testsScript
	}
	script += "find . -depth -type d -name 'O.*' -exec rm -r {} ';' || exit\n"
	if len(mod.DBDs) == 0 {
		return script
	}
	var folders strings.Builder
	for _, name := range b.Tree.Closure(mod.Name) {
		folders.WriteString(" " + layout.Module(name) + "/dbd")
	}
	return script + "set --" + folders.String() + "\n(\n" + dbdScript + ") >" + builtDBDs + "\n"
}

// makeAll runs make on all processors.
var makeAll = []string{"sh", "-c", `exec make -j"$(nproc)"`}

// mendModule returns what to do when a module's source does not build.
func mendModule(mod *recipe.Module) string {
	if mod.Folder != "" {
		return "mend it in " + mod.Folder
	}
	return "name another ref of it, or mend it with a patch in " + mod.File
}

// moduleFault names the module that failed, with the lines of the compiler or of git, and
// what was done with it. fix is what to do when a command failed, and not the engine.
func moduleFault(doing string, img *recipe.Image, ref recipe.ModuleRef, err error, fix string) error {
	if err == nil {
		return nil
	}
	module := ref.Name + " " + ref.Ref
	if ref.Ref == "" {
		module = ref.Name + " of the tree"
	}
	return &diag.Error{
		Kind: diag.Broken, Doing: doing + " " + module + " for", Asset: string(img.Name), File: img.File,
		Line: ref.Line, Err: engine.Explain(err), Fix: engine.Fix(err, fix),
	}
}

// withoutEchoes joins the errors that are not only the echo of another's
// failure: a module whose need failed fails with the same command.
func withoutEchoes(errs []error) error {
	seen := map[string]bool{}
	var own []error
	for _, err := range errs {
		var e *diag.Error
		if err == nil || errors.As(err, &e) && seen[e.Err.Error()] {
			continue
		}
		if e != nil {
			seen[e.Err.Error()] = true
		}
		own = append(own, err)
	}
	return errors.Join(own...)
}
