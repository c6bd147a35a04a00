// Package lineage reads what the assets of a tree are built on, run and are
// named as from the records of the releases that are there.
package lineage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
)

// Reader reads the records of releases.
type Reader struct {
	Registry *registry.Registry // without one, what a file pins is refused
	Trusted  attest.Trusted     // whose signature a record must have; nil asks for none

	known *sync.Map // by pin: what release found; nil for a reader that reads anew each time
}

// release returns a pinned release, verified. A reader that keeps what it read
// reads each once, for images of one hierarchy share what they are built on.
func (r Reader) release(ctx context.Context, pin asset.Pin) (*attest.Release, error) {
	read := sync.OnceValues(func() (*attest.Release, error) {
		return attest.Read(ctx, r.Registry, r.Trusted, pin.Asset, pin.Version, "")
	})
	if r.known == nil {
		return read()
	}
	kept, _ := r.known.LoadOrStore(pin, read)
	return kept.(func() (*attest.Release, error))()
}

// notReleased is the error of a pin that no release has.
type notReleased struct {
	pin    asset.Pin
	prefix string
}

func (e notReleased) Error() string { return fmt.Sprintf("%s is not released in %s", e.pin, e.prefix) }

// Is lets callers ask whether it is registry.ErrNotFound.
func (notReleased) Is(target error) bool { return target == registry.ErrNotFound }

// Image returns the record of the image that a file of the tree pins. A pin that
// is not released is refused with an error that is registry.ErrNotFound.
func (r Reader) Image(ctx context.Context, pin asset.Pin, file string) (*record.Record, error) {
	return r.read(ctx, pin, file, asset.Image, "name a generic IOC image")
}

// Library returns the record of the library chart that a file of the tree pins.
func (r Reader) Library(ctx context.Context, pin asset.Pin, file string) (*record.Record, error) {
	return r.read(ctx, pin, file, asset.Library, "name a library chart, as in ioc-lib 1.2.0")
}

// read returns the record of a pinned release of a kind.
func (r Reader) read(
	ctx context.Context, pin asset.Pin, file string, kind asset.Kind, fix string,
) (*record.Record, error) {
	if r.Registry == nil {
		return nil, diag.Invalidf(file, 0, "give --registry, or --in-tree to take it from the tree",
			"it needs the release %s, and no registry is named", pin)
	}
	found, err := r.release(ctx, pin)
	if errors.Is(err, registry.ErrNotFound) {
		return nil, &diag.Error{
			Kind: diag.Invalid, File: file, Err: notReleased{pin, r.Registry.Prefix()},
			Fix: fmt.Sprintf("release it first, with the tag %s, or name a released version", pin.Tag()),
		}
	}
	if err != nil {
		return nil, err
	}
	if found.Record.Kind != kind {
		return nil, diag.Invalidf(file, 0, fix, "%s is of kind %s, not %s", pin, found.Record.Kind, kind)
	}
	return found.Record, nil
}

// IOC returns the record of the generic IOC that an instance's file pins.
func (r Reader) IOC(ctx context.Context, pin asset.Pin, file string) (*record.Record, error) {
	rec, err := r.Image(ctx, pin, file)
	if err == nil && rec.Recipe != nil && rec.Recipe.IOC == nil {
		return nil, diag.Invalidf(
			file, 0, "name an image that is built with one", "%s has no IOC: others are only built on it", pin,
		)
	}
	return rec, err
}

// Below returns what an image is built on, each from the record of its release,
// and the record of the nearest. It returns nothing for the root of a hierarchy.
func (r Reader) Below(ctx context.Context, img *recipe.Image) (recipe.Below, *record.Record, error) {
	below := recipe.Below{Modules: map[string]*recipe.Module{}}
	var nearest *record.Record
	var built record.Parent // what the image above was built on
	seen := []asset.Name{img.Name}
	for next := img.Parent; !next.IsZero(); {
		if slices.Contains(seen, next.Asset) {
			return below, nil, diag.Invalidf(img.File, 0, "build it on another image",
				"%s is built on another release of %s", img.Name, next.Asset)
		}
		rec, err := r.Image(ctx, next, img.File)
		if err == nil {
			err = described(rec, img.File, built)
		}
		if err != nil {
			return below, nil, err
		}
		if nearest == nil {
			nearest = rec
		}
		one := imageOf(rec)
		below.Images = slices.Insert(below.Images, 0, one)
		for _, m := range rec.Recipe.Modules {
			below.Modules[m.Name] = moduleOf(m)
		}
		if len(rec.Parents.Releases) > 0 {
			built = rec.Parents.Releases[0]
		}
		seen, next = append(seen, next.Asset), one.Parent
	}
	return below, nearest, nil
}

// described refuses a release that others can't be built on, for want of a recipe
// in its record, or that is not the one that the image above was built on.
func described(rec *record.Record, file string, built record.Parent) error {
	pin := asset.Pin{Asset: rec.Asset, Version: rec.Version}
	switch developer := rec.Image(asset.Developer).Pinned(); {
	case rec.Recipe == nil:
		return diag.Invalidf(file, 0, "release it anew, as another version, and name that",
			"%s was released by Tagline %s, whose records do not say what an image was made from", pin, rec.Tool)
	case built.Ref != "" && built.Ref != developer:
		return &diag.Error{
			Kind: diag.Refused, Doing: "reading the record of", Asset: string(pin.Asset),
			Version: pin.Version.String(), File: file,
			Err: fmt.Errorf("its developer image is %s, and %s was built on", developer, built.Ref),
			Fix: "find out who wrote the record",
		}
	}
	return nil
}
