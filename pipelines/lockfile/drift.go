package lockfile

import (
	"maps"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// Drift is a pin whose name stands for something else now than when it was
// locked, or that has a newer version.
type Drift struct {
	Image  asset.Name `json:"image"`  // or the beamline, of a service's image
	Pin    string     `json:"pin"`    // what the file names: "asyn R4-45", "debian:trixie-slim", "gcc"
	Locked string     `json:"locked"` // digest, commit or version; empty for what is not locked
	Now    string     `json:"now"`    // likewise; empty for what is no longer needed
}

// Drifts compares a lock of img with what its names stand for now, pin by pin.
func Drifts(img *recipe.Image, locked, now *Lock) []Drift {
	var all []Drift
	compare := func(pin, was, is string) {
		if was != is {
			all = append(all, Drift{img.Name, pin, was, is})
		}
	}
	compare(img.Base, locked.Base, now.Base)
	for _, name := range union(locked.Modules, now.Modules) {
		was, is := locked.Modules[name], now.Modules[name]
		compare(name+" "+is.Ref, string(was.Commit), string(is.Commit))
		if was.Commit == is.Commit {
			for _, sub := range union(was.Submodules, is.Submodules) {
				compare(name+" "+sub, string(was.Submodules[sub]), string(is.Submodules[sub]))
			}
		}
	}
	for _, p := range union(locked.Packages.Build, now.Packages.Build) {
		compare(p, locked.Packages.Build[p], now.Packages.Build[p])
	}
	for _, p := range union(locked.Packages.Run, now.Packages.Run) {
		compare(p, locked.Packages.Run[p], now.Packages.Run[p])
	}
	return all
}

// union returns the keys of two maps, each once, sorted.
func union[V any](a, b map[string]V) []string {
	all := append(slices.Collect(maps.Keys(a)), slices.Collect(maps.Keys(b))...)
	slices.Sort(all)
	return slices.Compact(all)
}
