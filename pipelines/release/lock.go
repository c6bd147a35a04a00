package release

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Locking is what of a working copy is locked: images, after those that they are built on,
// and beamlines.
type Locking struct {
	files     fs.FS
	recipes   *recipe.Tree
	order     []*recipe.Image
	beamlines []*beamline.Beamline
}

// ReadLocking returns the named images and beamlines of a working copy, or all when none
// is named. The error is of kind diag.Invalid, and names those there are, for a name that
// is of none.
func ReadLocking(files fs.FS, names ...asset.Name) (*Locking, error) {
	recipes, err := recipefile.Read(files)
	if err != nil {
		return nil, err
	}
	all, err := beamline.Names(files)
	if err != nil {
		return nil, err
	}
	lines, images, err := lockingBeamlines(files, all, names)
	if err != nil {
		return nil, err
	}
	w := &Locking{files: files, recipes: recipes, beamlines: lines}
	if len(names) == 0 || len(images) > 0 {
		w.order, err = locking(recipes, images, all)
	}
	return w, err
}

// Lock finds what the names in recipes and of services' images stand for now. They are of
// a working copy, as nobody commits a recipe before its lock. It returns the texts of lock
// files by path; empty for what brings nothing from outside the tree and needs none.
func (b Builder) Lock(ctx context.Context, what *Locking) (map[string][]byte, error) {
	l := &locker{b, what, map[asset.Name]*lockfile.Lock{}}
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
	for _, bl := range l.beamlines {
		locked, err := l.lockBeamline(ctx, bl)
		if err != nil {
			return nil, err
		}
		if texts[lockfile.ImagesPath(bl.File)], err = lockfile.ImagesText(locked); err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// Drifts lists the pins whose names stand for something else now, and support modules that
// have a newer release.
func (b Builder) Drifts(ctx context.Context, what *Locking) ([]lockfile.Drift, error) {
	l := &locker{b, what, map[asset.Name]*lockfile.Lock{}}
	all := []lockfile.Drift{}
	for _, img := range l.order {
		locks, err := lockfile.Read(l.files, l.recipes, img.Name)
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
	for _, bl := range l.beamlines {
		var named []lockfile.Named
		for _, image := range bl.Tagged() {
			named = append(named, lockfile.Named{Image: image, File: bl.File})
		}
		locked, err := lockfile.ReadImages(l.files, bl.File, named)
		if err != nil {
			return nil, err
		}
		now, err := l.lockBeamline(ctx, bl)
		if err != nil {
			return nil, err
		}
		all = append(all, lockfile.ImageDrifts(bl.Name, locked, now)...)
	}
	return all, nil
}

// locker locks images and beamlines.
type locker struct {
	Builder
	*Locking
	locks map[asset.Name]*lockfile.Lock
}

// lockingBeamlines returns those of all beamlines that are named, or all where none is,
// and the names that are of none.
func lockingBeamlines(files fs.FS, all, names []asset.Name) (
	lines []*beamline.Beamline, rest []asset.Name, err error,
) {
	for _, name := range names {
		if !slices.Contains(all, name) {
			rest = append(rest, name)
		}
	}
	var faults diag.Faults
	for _, name := range all {
		if len(names) > 0 && !slices.Contains(names, name) {
			continue
		}
		bl, err := beamline.ReadUnmade(files, name)
		faults.Add(err)
		lines = append(lines, bl)
	}
	return lines, rest, faults.Err()
}

// lockBeamline returns the images that the services of a beamline name by their tags, by
// digest.
func (l *locker) lockBeamline(ctx context.Context, bl *beamline.Beamline) (map[string]string, error) {
	locked := map[string]string{}
	images := bl.Tagged()
	if len(images) == 0 {
		return locked, nil
	}
	err := step.Run(ctx, "resolving "+string(bl.Name), func(ctx context.Context) error {
		for _, image := range images {
			ref, err := l.Client.Container().From(image).ImageRef(ctx)
			if err != nil {
				return &diag.Error{
					Kind: diag.Broken, Doing: "looking for the image of a service", Asset: image, File: bl.File,
					Err: engine.Explain(err), Fix: "check its name, and that the engine reaches its registry",
				}
			}
			locked[image] = lockfile.Resolved(image, ref)
		}
		return nil
	})
	return locked, err
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

// locking returns the named images, or all, after those they are built on. A name that is
// of none is refused with those of the images and of the beamlines, which have locks too.
func locking(recipes *recipe.Tree, names, beamlines []asset.Name) ([]*recipe.Image, error) {
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(recipes.Images))
	}
	var order []*recipe.Image
	var faults []error
	for _, name := range names {
		chain := recipes.Chain(name)
		if len(chain) == 0 {
			faults = append(faults, unknown(recipes, name, beamlines...))
		}
		for _, img := range chain {
			if slices.Contains(names, img.Name) && !slices.Contains(order, img) {
				order = append(order, img)
			}
		}
	}
	return order, errors.Join(faults...)
}

// unknown refuses the name of an image that the tree does not have, where those of
// beamlines would do too.
func unknown(recipes *recipe.Tree, name asset.Name, beamlines ...asset.Name) error {
	doing, names := "looking for image", slices.Sorted(maps.Keys(recipes.Images))
	if len(beamlines) > 0 {
		doing, names = "looking for image or beamline", slices.Sorted(slices.Values(append(names, beamlines...)))
	}
	fix := "name one of " + asset.List(names)
	if len(names) == 0 {
		fix = "add one to generic-iocs/"
	}
	return &diag.Error{
		Kind: diag.Invalid, Doing: doing, Asset: string(name),
		Err: errors.New("the tree has none of that name"), Fix: fix,
	}
}
