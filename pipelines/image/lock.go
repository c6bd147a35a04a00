package image

import (
	"context"
	"errors"
	"slices"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/debian"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// Lock finds what the names in img's recipe stand for now. parent is the released
// image that img is built on. It is nil for the root of a hierarchy, and where
// img is built on images of the tree: those must be in b.Locks, as no image is
// built for it.
func (b Builder) Lock(ctx context.Context, img *recipe.Image, parent *Image) (*lockfile.Lock, error) {
	lock := &lockfile.Lock{}
	switch {
	case parent != nil:
		b.base = string(parent.Base)
	case img.Base != "":
		ref, err := b.Client.Container().From(img.Base).ImageRef(ctx)
		if err != nil {
			return nil, pullFault(img, img.Base, err)
		}
		lock.Base = lockfile.Resolved(img.Base, ref)
		b.base = lock.Base
	default:
		b.base = b.Locks[b.Tree.Chain(img.Name)[0].Name].Base
	}
	var errs []error
	for _, ref := range b.Tree.Order(img) {
		if b.Tree.Modules[ref.Name].Folder != "" {
			continue
		}
		locked, err := b.fetcher().Lock(ctx, b.wanted(img, ref))
		errs = append(errs, err)
		if lock.Modules == nil {
			lock.Modules = map[string]lockfile.Module{}
		}
		lock.Modules[ref.Name] = locked
	}
	var err error
	lock.Packages, err = b.lockPackages(ctx, img, parent)
	return lock, errors.Join(append(errs, err)...)
}

// Newer returns, for the support modules of img that are built at a release's
// tag, the newest tag of the same spelling that comes after it.
func (b Builder) Newer(ctx context.Context, img *recipe.Image) ([]lockfile.Drift, error) {
	var all []lockfile.Drift
	for _, ref := range b.Tree.Order(img) {
		tag, err := b.fetcher().Newer(ctx, b.wanted(img, ref))
		if err != nil {
			return nil, err
		}
		if tag != "" {
			all = append(all, lockfile.Drift{Image: img.Name, Pin: ref.Name, Locked: ref.Ref, Now: tag})
		}
	}
	return all, nil
}

// lockPackages asks apt which packages it would install, on what img is built
// on, and in which versions.
func (b Builder) lockPackages(ctx context.Context, img *recipe.Image, parent *Image) (lockfile.Packages, error) {
	build := b.Tree.Packages(img)
	locked := lockfile.Packages{}
	if len(build)+len(img.Run) == 0 {
		return locked, nil
	}
	c, err := b.packagesBelow(ctx, img, parent)
	if err != nil {
		return locked, err
	}
	if locked.Build, err = debian.Resolve(ctx, c, build); err != nil {
		return locked, b.resolveFault(img, err)
	}
	if len(img.Run) == 0 {
		return locked, b.virtual(img, build, locked.Build)
	}
	all, err := debian.Resolve(ctx, c, slices.Concat(build, img.Run))
	if err != nil {
		return locked, b.resolveFault(img, err)
	}
	for name, version := range all {
		if locked.Build[name] == "" {
			if locked.Run == nil {
				locked.Run = map[string]string{}
			}
			locked.Run[name] = version
		}
	}
	return locked, b.virtual(img, slices.Concat(build, img.Run), all)
}

// packagesBelow returns a container that has the Debian packages of what img is
// built on.
func (b Builder) packagesBelow(ctx context.Context, img *recipe.Image, parent *Image) (*dagger.Container, error) {
	if parent != nil {
		return parent.Developer, nil
	}
	c := b.Client.Container().From(b.base)
	for _, below := range b.Tree.Chain(img.Name) {
		if below == img {
			break
		}
		var err error
		locked := b.Locks[below.Name].Packages.Build
		if c, err = debian.Install(ctx, below, c, b.Tree.Packages(below), locked); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// virtual refuses names that are no packages but that others provide: apt
// resolves them, and no version can be locked.
func (b Builder) virtual(img *recipe.Image, names []string, resolved map[string]string) error {
	var faults diag.Faults
	for _, name := range names {
		if resolved[name] == "" {
			file, line := b.packageLine(img, name)
			faults.Addf(
				file, line, "name a package that provides it",
				"%s is no Debian package but a name that others provide", name,
			)
		}
	}
	return faults.Err()
}

// resolveFault returns the error that says which packages of img Debian does not have, each with the
// file and line that names it, or that nobody could say.
func (b Builder) resolveFault(img *recipe.Image, err error) error {
	missing := (*debian.MissingError)(nil)
	if !errors.As(err, &missing) {
		return &diag.Error{
			Kind: diag.Broken, Doing: "looking for the Debian packages of", Asset: string(img.Name), File: img.File,
			Err: err, Fix: engine.Fix(err, "see that the engine reaches Debian's archive, then run it again"),
		}
	}
	var faults diag.Faults
	for _, name := range missing.Packages {
		file, line := b.packageLine(img, name)
		no := &debian.MissingError{Packages: []string{name}}
		faults.Addf(file, line, "correct the name, or take it out", "%w", no)
	}
	return faults.Err()
}

// packageLine returns the place that names a package of img: the image's own
// file, or that of a module built in it.
func (b Builder) packageLine(img *recipe.Image, name string) (file string, line int) {
	if slices.Contains(img.Build, name) || slices.Contains(img.Run, name) {
		return img.File, img.Lines[name]
	}
	for _, ref := range img.Modules {
		if mod := b.Tree.Modules[ref.Name]; slices.Contains(mod.Packages, name) {
			return mod.File, mod.Lines[name]
		}
	}
	return img.File, 0
}
