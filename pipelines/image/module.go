package image

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"dagger.io/dagger"
	"golang.org/x/sync/errgroup"

	"github.com/tagline-ci/tagline/pipelines/diag"
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
// of its own with only its needs, and gives dev with all their folders.
func (b Builder) modules(ctx context.Context, img *recipe.Image, dev *dagger.Container) (*dagger.Container, []record.Source, error) {
	order := b.Tree.Order(img)
	sources := make([]record.Source, len(order))
	errs := make([]error, len(order))
	var g errgroup.Group
	for i, ref := range order {
		g.Go(func() error {
			sources[i], errs[i] = b.pinned(ctx, img, ref)
			return nil
		})
	}
	g.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, nil, err
	}
	made := map[string]*dagger.Directory{}
	work := make([]*dagger.Container, len(order))
	for i, ref := range order {
		mod := b.Tree.Modules[ref.Name]
		c, err := b.module(ctx, img, dev, mod, sources[i], made)
		if err != nil {
			return nil, nil, b.buildFault(img, ref, err)
		}
		work[i], made[ref.Name] = c, c.Directory(place(ref.Name))
	}
	// Asking for all at once lets the engine build unrelated ones side by side.
	for i, ref := range order {
		g.Go(func() error {
			_, err := made[ref.Name].Sync(ctx)
			if errs[i] = b.buildFault(img, ref, err); err == nil {
				errs[i] = b.gives(ctx, b.Tree.Modules[ref.Name], work[i])
			}
			return nil
		})
	}
	g.Wait()
	if err := first(errs); err != nil {
		return nil, nil, err
	}
	for _, ref := range order {
		dev = dev.WithDirectory(place(ref.Name), made[ref.Name])
	}
	return dev, sources, nil
}

// module describes the build of one support module of img on dev, and gives the
// container that holds it and its needs.
func (b Builder) module(ctx context.Context, img *recipe.Image, dev *dagger.Container, mod *recipe.Module, src record.Source, made map[string]*dagger.Directory) (*dagger.Container, error) {
	source, err := b.fetch(ctx, mod, src)
	if err != nil {
		return nil, err
	}
	if mod.Name == "epics-base" {
		if source, err = b.baseSource(ctx, img, mod, source); err != nil {
			return nil, err
		}
	} else {
		site := site(img, append([]string{"CHECK_RELEASE = NO", "BUILD_IOCS = NO"}, mod.Config...)...)
		// Modules differ in which of these they read; some ship the second of a
		// pair with the paths of where they were written.
		for _, suffix := range []string{"local", hostArch + ".Common"} {
			source = source.WithNewFile("configure/RELEASE."+suffix, b.release(mod)).
				WithNewFile("configure/CONFIG_SITE."+suffix, site)
		}
	}
	dir := place(mod.Name)
	c := dev
	for _, need := range b.Tree.Closure(mod.Name) {
		if d, ok := made[need]; ok && need != mod.Name {
			c = c.WithMountedDirectory(place(need), d)
		}
	}
	c = c.WithMountedDirectory(dir, source).WithWorkdir(dir)
	return c.WithExec([]string{"sh", "-c", `exec make -j"$(nproc)"`}).
		WithExec([]string{"find", ".", "-depth", "-type", "d", "-name", "O.*", "-exec", "rm", "-r", "{}", ";"}), nil
}

// release is what a module's configure/RELEASE.local says: where its needs are.
func (b Builder) release(mod *recipe.Module) string {
	var w strings.Builder
	fmt.Fprintf(&w, "SUPPORT = %s\n", strings.TrimSuffix(supportDir, "/"))
	for _, need := range b.Tree.Closure(mod.Name) {
		if need != mod.Name && need != "epics-base" {
			fmt.Fprintf(&w, "%s = %s\n", b.Tree.Modules[need].Macro, place(need))
		}
	}
	fmt.Fprintf(&w, "EPICS_BASE = %s\n", baseDir)
	return w.String()
}

// buildFault names the module whose build failed, with the compiler's lines.
func (b Builder) buildFault(img *recipe.Image, ref recipe.ModuleRef, err error) error {
	if err == nil {
		return nil
	}
	of := ref.Name + " " + ref.Ref
	if ref.Ref == "" {
		of = ref.Name + " of the tree"
	}
	return &diag.Error{Kind: diag.Broken, Doing: "building " + of + " for", Asset: img.Name, File: img.File, Line: ref.Line, Err: explain(err)}
}

// first gives the errors that are not only the echo of another's failure: a
// module whose need failed fails with the same command.
func first(errs []error) error {
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

func asExec(err error) (*dagger.ExecError, bool) {
	var exec *dagger.ExecError
	return exec, errors.As(err, &exec)
}

var trouble = regexp.MustCompile(`(?i)\b(error|undefined reference|no such file|cannot find|can't find|not found|no rule to make|unable to locate|fatal)\b`)

var fromMake = regexp.MustCompile(`^\s*make(\[\d+\])?: \*\*\* .*Error \d+( \(ignored\))?$`)

// telling picks the lines of a build's output that say what went wrong, or the
// last ones when none does; at most twelve.
func telling(output string) []string {
	lines := strings.Split(strings.TrimSpace(output), "\n")
	var picked, makes []string
	for _, l := range lines {
		switch {
		case !trouble.MatchString(l), slices.Contains(picked, strings.TrimSpace(l)):
		case fromMake.MatchString(l):
			makes = append(makes, strings.TrimSpace(l))
		default:
			picked = append(picked, strings.TrimSpace(l))
		}
	}
	// What make says of a compiler's error is only where it met it.
	if len(picked) == 0 {
		picked = makes
	}
	const most = 12
	if len(picked) == 0 {
		picked = lines[max(0, len(lines)-most):]
	}
	return picked[:min(len(picked), most)]
}
