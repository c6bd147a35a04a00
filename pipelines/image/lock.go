package image

import (
	"context"
	_ "embed"
	"errors"
	"slices"
	"strings"
	"time"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
)

//go:embed simulate.sh
var simulateScript string

// Lock finds what the names in img's recipe stand for now. What img is built on
// in the tree must be in b.Locks: no image is built for it.
func (b Builder) Lock(ctx context.Context, img *recipe.Image) (*recipe.Lock, error) {
	lock := &recipe.Lock{}
	if img.Base != "" {
		ref, err := b.Client.Container().From(img.Base).ImageRef(ctx)
		if err != nil {
			return nil, b.unreachable(img, img.Base, err)
		}
		lock.Base, b.base = ref, ref
	} else {
		b.base = b.Locks[b.Tree.Chain(img.Name)[0].Name].Base
	}
	var errs []error
	for _, ref := range b.Tree.Order(img) {
		if b.Tree.Modules[ref.Name].Folder != "" {
			continue
		}
		locked, err := b.lockModule(ctx, img, ref)
		errs = append(errs, err)
		if lock.Modules == nil {
			lock.Modules = map[string]recipe.LockedModule{}
		}
		lock.Modules[ref.Name] = locked
	}
	var err error
	lock.Packages, err = b.lockPackages(ctx, img)
	return lock, errors.Join(append(errs, err)...)
}

// lockModule finds the commits of a module and of its submodules.
func (b Builder) lockModule(ctx context.Context, img *recipe.Image, ref recipe.ModuleRef) (recipe.LockedModule, error) {
	mod := b.Tree.Modules[ref.Name]
	commit := ref.Ref
	if !commitHash.MatchString(commit) {
		refs, err := b.remote(ctx, img, ref)
		if err != nil {
			return recipe.LockedModule{}, err
		}
		var ok bool
		if commit, ok = refs.commit(ref.Ref); !ok {
			return recipe.LockedModule{}, refs.none(img, ref, mod)
		}
	}
	locked := recipe.LockedModule{Ref: ref.Ref, Commit: recipe.Commit(commit)}
	c, err := b.checkout(ctx, mod, record.Source{Commit: commit})
	var out string
	if err == nil {
		out, err = c.WithExec([]string{"git", "submodule", "status", "--recursive"}).Stdout(ctx)
	}
	if err != nil {
		return locked, &diag.Error{Kind: diag.Broken, Doing: "fetching " + ref.Name + " " + ref.Ref + " for", Asset: img.Name, File: img.File, Line: ref.Line, Err: explain(err)}
	}
	for line := range strings.Lines(out) {
		// " <commit> <path> (<description>)"; what is not checked out has "-" before it.
		part := strings.Fields(line)
		if len(part) < 2 || strings.HasPrefix(line, "-") {
			continue
		}
		if locked.Submodules == nil {
			locked.Submodules = map[string]recipe.Commit{}
		}
		locked.Submodules[part[1]] = recipe.Commit(strings.TrimLeft(part[0], "+U"))
	}
	return locked, nil
}

// lockPackages asks apt which packages it would install, on what img is built
// on, and in which versions.
func (b Builder) lockPackages(ctx context.Context, img *recipe.Image) (recipe.LockedPackages, error) {
	build := b.Tree.Packages(img)
	c := b.Client.Container().From(b.base)
	if len(build)+len(img.Run) == 0 {
		return recipe.LockedPackages{}, nil
	}
	var err error
	for _, on := range b.Tree.Chain(img.Name) {
		if on == img {
			break
		}
		if c, err = b.install(ctx, on, c, b.Tree.Packages(on), pins(b.Locks[on.Name].Packages.Build)); err != nil {
			return recipe.LockedPackages{}, err
		}
	}
	locked := recipe.LockedPackages{}
	if locked.Build, err = b.simulate(ctx, img, c, build); err != nil {
		return locked, err
	}
	if len(img.Run) == 0 {
		return locked, nil
	}
	both, err := b.simulate(ctx, img, c, slices.Concat(build, img.Run))
	for name, version := range both {
		if locked.Build[name] == "" {
			if locked.Run == nil {
				locked.Run = map[string]string{}
			}
			locked.Run[name] = version
		}
	}
	return locked, err
}

// simulate gives the versions of packages, and of those that would be installed
// with them, as the archive has them this moment.
func (b Builder) simulate(ctx context.Context, img *recipe.Image, c *dagger.Container, packages []string) (map[string]string, error) {
	if len(packages) == 0 {
		return nil, nil
	}
	c = c.WithEnvVariable("TAGLINE_RUN", time.Now().Format(time.RFC3339Nano)) // the archive's answer of now, not one from a cache
	out, err := apt(c, func(c *dagger.Container) *dagger.Container {
		return c.WithExec(append([]string{"sh", "-c", simulateScript, "sh"}, packages...))
	}).Stdout(ctx)
	if exec, ok := asExec(err); ok {
		if none := b.noPackages(img, exec.Stderr); none != nil {
			return nil, none
		}
	}
	if err != nil {
		return nil, &diag.Error{Kind: diag.Invalid, Doing: "looking for the Debian packages of", Asset: img.Name, File: img.File, Err: explain(err), Fix: "correct the package's name"}
	}
	found := versions(out)
	var faults []error
	for _, p := range packages {
		if found[p] == "" {
			faults = append(faults, diag.Invalidf(img.File, 0, "name a package that provides it", "%s is no Debian package but a name that others provide", p))
		}
	}
	return found, errors.Join(faults...)
}
