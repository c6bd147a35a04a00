package release

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Lock finds what the names in recipes stand for now: of the named images, or
// of all when none is named. files is a working copy, as nobody commits a
// recipe before its lock. It returns the texts of lock files by path; empty for
// an image that brings nothing from outside the tree and needs none.
func (b Builder) Lock(ctx context.Context, files fs.FS, names ...asset.Name) (map[string][]byte, error) {
	l, err := b.locker(files, names)
	if err != nil {
		return nil, err
	}
	texts := map[string][]byte{}
	for _, img := range l.order {
		_, lock, err := l.lock(ctx, img)
		if err != nil {
			return nil, err
		}
		if texts[lockfile.Path(img)], err = lock.Text(); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// Drifts lists the pins of the named images, or of all, whose names stand for
// something else now, and support modules that have a newer release.
func (b Builder) Drifts(ctx context.Context, files fs.FS, names ...asset.Name) ([]lockfile.Drift, error) {
	l, err := b.locker(files, names)
	if err != nil {
		return nil, err
	}
	all := []lockfile.Drift{}
	for _, img := range l.order {
		locks, err := lockfile.Read(files, l.recipes, img.Name)
		if err != nil {
			return nil, err
		}
		builder, now, err := l.lock(ctx, img)
		if err != nil {
			return nil, err
		}
		all = append(all, lockfile.Drifts(img, locks[img.Name], now)...)
		newer, err := builder.Newer(ctx, img)
		if err != nil {
			return nil, err
		}
		all = append(all, newer...)
	}
	return all, nil
}

// locker locks images of a working copy.
type locker struct {
	Builder
	files   fs.FS
	recipes *recipe.Tree
	order   []*recipe.Image // those to lock, after those that they are built on
	locks   map[asset.Name]*lockfile.Lock
}

func (b Builder) locker(files fs.FS, names []asset.Name) (*locker, error) {
	recipes, err := recipefile.Read(files)
	if err != nil {
		return nil, err
	}
	order, err := locking(recipes, names)
	return &locker{b, files, recipes, order, map[asset.Name]*lockfile.Lock{}}, err
}

// lock locks one image afresh, and returns what it was locked with.
func (l *locker) lock(ctx context.Context, img *recipe.Image) (b image.Builder, lock *lockfile.Lock, err error) {
	err = step.Run(ctx, "resolving "+string(img.Name), func(ctx context.Context) error {
		var parent *image.Image
		b, parent, err = l.builder(ctx, img)
		if err == nil {
			lock, err = b.Lock(ctx, img, parent)
		}
		l.locks[img.Name] = lock
		return err
	})
	return b, lock, err
}

// builder returns what locks an image, and the release that it is built on. Without
// that release, which a new tree does not have yet, it is locked on the images of
// the tree, and no parent is returned.
func (l *locker) builder(ctx context.Context, img *recipe.Image) (image.Builder, *image.Image, error) {
	b := image.Builder{
		Client: l.Client, Files: l.files, Tree: l.recipes, Mirrors: l.Mirrors,
		Logins: l.Logins, Locks: l.locks,
	}
	if img.Base != "" {
		return b, nil, nil
	}
	missing := error(noRegistry(img))
	if l.Registry != nil {
		below, released, err := l.lineage().Below(ctx, img)
		if err == nil {
			b.Tree, err = l.recipes.On(img, below)
			return b, l.pulled(released), err
		}
		if !errors.Is(err, registry.ErrNotFound) {
			return b, nil, err
		}
		missing = err
	}
	below, ok := l.recipes.Below(img)
	if !ok {
		return b, nil, missing
	}
	var others []asset.Name
	for _, lower := range below.Images {
		if l.locks[lower.Name] == nil {
			others = append(others, lower.Name)
		}
	}
	locks, err := lockfile.Read(l.files, l.recipes, others...)
	maps.Copy(l.locks, locks)
	if err == nil {
		b.Tree, err = l.recipes.On(img, below)
	}
	return b, nil, err
}

// noRegistry refuses to lock an image whose parent is neither in the tree nor to
// be looked for.
func noRegistry(img *recipe.Image) error {
	return diag.Invalidf(img.File, 0, "name the registry that has its release, with --registry",
		"%s is built on %s, which is not in this tree", img.Name, img.Parent)
}

// locking returns the named images, or all, after those they are built on.
func locking(recipes *recipe.Tree, names []asset.Name) ([]*recipe.Image, error) {
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(recipes.Images))
	}
	var order []*recipe.Image
	var faults []error
	for _, name := range names {
		chain := recipes.Chain(name)
		if len(chain) == 0 {
			faults = append(faults, unknown(recipes, name))
		}
		for _, img := range chain {
			if slices.Contains(names, img.Name) && !slices.Contains(order, img) {
				order = append(order, img)
			}
		}
	}
	return order, errors.Join(faults...)
}

// unknown refuses the name of an image that the tree does not have.
func unknown(recipes *recipe.Tree, name asset.Name) error {
	return &diag.Error{
		Kind: diag.Invalid, Doing: "looking for image", Asset: string(name),
		Err: fmt.Errorf("the tree has none of that name"),
		Fix: "name one of " + asset.List(slices.Sorted(maps.Keys(recipes.Images))),
	}
}
