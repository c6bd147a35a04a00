package lineage

import (
	"cmp"
	"context"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/plan"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// sideBySide is how many records are read at a time.
const sideBySide = 8

// Check refuses what no release of a tree without faults of its own could be, for
// what is released or not: an image whose parent is not released or does not
// have what it needs, an instance whose generic IOC is not released, and a name
// that belongs to another repository than home. The error joins every fault.
func (r Reader) Check(ctx context.Context, files fs.FS, home string) error {
	r.known = &sync.Map{}
	work, err := r.work(files, home)
	if err != nil {
		return err
	}
	var faults diag.Faults
	faults.Add(step.Each(
		ctx, sideBySide, work, func(ctx context.Context, ask func(context.Context) error) error { return ask(ctx) },
	))
	return faults.Err()
}

// work returns the questions to ask of the registry about a tree.
func (r Reader) work(files fs.FS, home string) (work []func(context.Context) error, err error) {
	assets, err := plan.Assets(files)
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(assets)) {
		work = append(work, func(ctx context.Context) error { return r.Owned(ctx, name, asset.Version{}, home) })
	}
	recipes, err := recipefile.Read(files)
	if err != nil {
		return nil, err
	}
	for _, img := range recipes.Images {
		work = append(work, func(ctx context.Context) error {
			below, _, err := r.Below(ctx, img)
			if err == nil {
				_, err = recipes.On(img, below)
			}
			return err
		})
	}
	pins, generators, err := pinned(files)
	if err != nil {
		return nil, err
	}
	for _, pin := range SortedPins(pins) {
		work = append(work, func(ctx context.Context) error {
			_, err := r.IOC(ctx, pin, pins[pin])
			return err
		})
	}
	for _, pin := range SortedPins(generators) {
		work = append(work, func(ctx context.Context) error {
			_, err := r.Image(ctx, pin, generators[pin])
			return err
		})
	}
	return work, nil
}

// pinned returns the generic IOCs that the instances of a tree run, and the images
// that their config folders are made in, each with the first file that pins it.
func pinned(files fs.FS) (pins, generators map[asset.Pin]string, err error) {
	names, err := beamline.Names(files)
	if err != nil {
		return nil, nil, err
	}
	pins, generators = map[asset.Pin]string{}, map[asset.Pin]string{}
	for _, name := range names {
		bl, err := beamline.Read(files, name)
		if err != nil {
			return nil, nil, err
		}
		for pin, file := range Pins(bl) {
			pins[pin] = cmp.Or(pins[pin], file)
		}
		for pin, file := range Generators(bl) {
			generators[pin] = cmp.Or(generators[pin], file)
		}
	}
	return pins, generators, nil
}

// Pins returns the generic IOCs that the instances of a beamline run, each with
// the first file that pins it.
func Pins(bl *beamline.Beamline) map[asset.Pin]string {
	pins := map[asset.Pin]string{}
	for _, inst := range bl.Instances {
		if inst.Service == "" && pins[inst.Image] == "" {
			pins[inst.Image] = inst.File
		}
	}
	return pins
}

// Generators returns the images in which config folders of a beamline's instances are
// made, each with the first file that pins it. A generic IOC that an instance runs is
// not one of them.
func Generators(bl *beamline.Beamline) map[asset.Pin]string {
	run, pins := Pins(bl), map[asset.Pin]string{}
	for _, inst := range bl.Instances {
		if g := inst.Generator; g != nil && run[g.Image] == "" {
			pins[g.Image] = cmp.Or(pins[g.Image], g.File)
		}
	}
	return pins
}

// SortedPins returns a map's pins, in the order of their text.
func SortedPins[V any](pins map[asset.Pin]V) []asset.Pin {
	return slices.SortedFunc(
		maps.Keys(pins), func(a, b asset.Pin) int { return strings.Compare(a.String(), b.String()) },
	)
}
