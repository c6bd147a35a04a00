package release

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Lock finds what the names in recipes stand for now: of the named images, or
// of all when none is named. files is a working copy, as nobody commits a
// recipe before its lock. It returns the texts of lock files by path; empty for
// an image that brings nothing from outside the tree and needs none.
func (b Builder) Lock(ctx context.Context, files fs.FS, names ...string) (map[string][]byte, error) {
	locker, order, err := b.locker(files, names)
	if err != nil {
		return nil, err
	}
	texts := map[string][]byte{}
	for _, img := range order {
		lock, err := relock(ctx, locker, img)
		if err != nil {
			return nil, err
		}
		locker.Locks[img.Name] = lock
		if texts[lockfile.Path(img)], err = lock.Text(); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// Drifts lists the pins of the named images, or of all, whose names stand for
// something else now, and support modules that have a newer release.
func (b Builder) Drifts(ctx context.Context, files fs.FS, names ...string) ([]lockfile.Drift, error) {
	locker, order, err := b.locker(files, names)
	if err != nil {
		return nil, err
	}
	all := []lockfile.Drift{}
	for _, img := range order {
		locks, err := lockfile.Read(files, locker.Tree, img.Name)
		if err != nil {
			return nil, err
		}
		now, err := relock(ctx, locker, img)
		if err != nil {
			return nil, err
		}
		all = append(all, lockfile.Drifts(img, locks[img.Name], now)...)
		newer, err := locker.Newer(ctx, img)
		if err != nil {
			return nil, err
		}
		all = append(all, newer...)
		locker.Locks[img.Name] = now
	}
	return all, nil
}

// relock locks one image afresh.
func relock(ctx context.Context, b image.Builder, img *recipe.Image) (lock *lockfile.Lock, err error) {
	err = step.Run(ctx, "resolving "+img.Name, func(ctx context.Context) error {
		lock, err = b.Lock(ctx, img)
		return err
	})
	return lock, err
}

// locker returns what locks images, and which, after those they are built on.
// The locks of those that are not locked anew are read.
func (b Builder) locker(files fs.FS, names []string) (image.Builder, []*recipe.Image, error) {
	recipes, err := recipe.Read(files)
	if err != nil {
		return image.Builder{}, nil, err
	}
	order, err := locking(recipes, names)
	if err != nil {
		return image.Builder{}, nil, err
	}
	var others []string
	for _, img := range order {
		for _, on := range recipes.Chain(img.Name) {
			if !slices.Contains(order, on) {
				others = append(others, on.Name)
			}
		}
	}
	locks, err := lockfile.Read(files, recipes, others...)
	return image.Builder{Client: b.Client, Files: files, Tree: recipes, Mirrors: b.Mirrors, Locks: locks}, order, err
}

// locking returns the named images, or all, after those they are built on.
func locking(recipes *recipe.Tree, names []string) ([]*recipe.Image, error) {
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
func unknown(recipes *recipe.Tree, name string) error {
	return &diag.Error{Kind: diag.Invalid, Doing: "looking for image", Asset: name, Err: fmt.Errorf("the tree has none of that name"), Fix: "name one of " + strings.Join(slices.Sorted(maps.Keys(recipes.Images)), ", ")}
}
