package image

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"dagger.io/dagger"
	"golang.org/x/sync/errgroup"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// noTests goes to the top of EPICS Base's configure/RULES_DIRS, which support
// modules read too: make then leaves tests and examples out. They take a quarter
// of the compilers' time and nothing of theirs runs at a beamline.
const noTests = `SKIPPED = test% %/unittest unitTests example%
DIRS := $(filter-out $(SKIPPED),$(DIRS))
$(foreach dir,$(DIRS),$(eval $(dir)_DEPEND_DIRS := $(filter-out $(SKIPPED),$($(dir)_DEPEND_DIRS))))
`

// modules builds the support modules of img side by side, each in a container
// of its own with only its needs, and returns dev with all their folders.
func (b Builder) modules(ctx context.Context, img *recipe.Image, dev *dagger.Container) (*dagger.Container, []record.Source, error) {
	order := b.Tree.Order(img)
	sources, err := b.sources(ctx, img, order)
	if err != nil {
		return nil, nil, err
	}
	built := map[string]*dagger.Directory{}
	containers := make([]*dagger.Container, len(order))
	for i, ref := range order {
		c, err := b.module(ctx, img, dev, b.Tree.Modules[ref.Name], sources[i], built)
		if err != nil {
			return nil, nil, buildFault(img, ref, err)
		}
		containers[i], built[ref.Name] = c, c.Directory(layout.Module(ref.Name))
	}
	// Asking for all at once lets the engine build unrelated ones side by side.
	errs := make([]error, len(order))
	var g errgroup.Group
	for i, ref := range order {
		g.Go(func() error {
			_, err := built[ref.Name].Sync(ctx)
			if errs[i] = buildFault(img, ref, err); err == nil {
				errs[i] = b.promised(ctx, b.Tree.Modules[ref.Name], containers[i])
			}
			return nil
		})
	}
	g.Wait()
	if err := withoutEchoes(errs); err != nil {
		return nil, nil, err
	}
	for _, ref := range order {
		dev = dev.WithDirectory(layout.Module(ref.Name), built[ref.Name])
	}
	return dev, sources, nil
}

// sources returns the pinned source of each module, all faults at once.
func (b Builder) sources(ctx context.Context, img *recipe.Image, order []recipe.ModuleRef) ([]record.Source, error) {
	sources := make([]record.Source, len(order))
	errs := make([]error, len(order))
	var g errgroup.Group
	for i, ref := range order {
		g.Go(func() error {
			sources[i], errs[i] = b.fetcher().Pinned(ctx, b.wanted(img, ref), b.Locks[img.Name].Modules[ref.Name])
			return nil
		})
	}
	g.Wait()
	return sources, errors.Join(errs...)
}

// module describes the build of one support module of img on dev, and returns
// the container that holds it and its needs. built are those built before it.
func (b Builder) module(ctx context.Context, img *recipe.Image, dev *dagger.Container, mod *recipe.Module,
	src record.Source, built map[string]*dagger.Directory) (*dagger.Container, error) {
	source, err := b.fetcher().Fetch(ctx, mod, src.Commit)
	if err != nil {
		return nil, err
	}
	if mod.Name == layout.BaseModule {
		if source, err = b.baseSource(ctx, img, mod, source); err != nil {
			return nil, err
		}
	} else {
		site := site(img, append([]string{"CHECK_RELEASE = NO", "BUILD_IOCS = NO"}, mod.Config...)...)
		// Modules differ in which of these they read; some ship the second of a
		// pair with the paths of where they were written.
		for _, suffix := range []string{"local", layout.HostArch + ".Common"} {
			source = source.WithNewFile("configure/RELEASE."+suffix, b.release(mod)).
				WithNewFile("configure/CONFIG_SITE."+suffix, site)
		}
	}
	c := dev
	for _, need := range b.Tree.Closure(mod.Name) {
		if d, ok := built[need]; ok && need != mod.Name {
			c = c.WithMountedDirectory(layout.Module(need), d)
		}
	}
	dir := layout.Module(mod.Name)
	return c.WithMountedDirectory(dir, source).WithWorkdir(dir).
		WithExec(makeAll).
		WithExec([]string{"find", ".", "-depth", "-type", "d", "-name", "O.*", "-exec", "rm", "-r", "{}", ";"}), nil
}

// makeAll runs make on all processors.
var makeAll = []string{"sh", "-c", `exec make -j"$(nproc)"`}

// release returns what a module's configure/RELEASE.local says: where its needs are.
func (b Builder) release(mod *recipe.Module) string {
	var w strings.Builder
	fmt.Fprintf(&w, "SUPPORT = %s\n", layout.Support)
	for _, need := range b.Tree.Closure(mod.Name) {
		if need != mod.Name && need != layout.BaseModule {
			fmt.Fprintf(&w, "%s = %s\n", b.Tree.Modules[need].Macro, layout.Module(need))
		}
	}
	fmt.Fprintf(&w, "EPICS_BASE = %s\n", layout.Base)
	return w.String()
}

// buildFault names the module whose build failed, with the compiler's lines.
func buildFault(img *recipe.Image, ref recipe.ModuleRef, err error) error {
	if err == nil {
		return nil
	}
	module := ref.Name + " " + ref.Ref
	if ref.Ref == "" {
		module = ref.Name + " of the tree"
	}
	return &diag.Error{
		Kind: diag.Broken, Doing: "building " + module + " for", Asset: img.Name, File: img.File, Line: ref.Line,
		Err: engine.Explain(err),
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
