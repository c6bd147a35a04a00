package recipe

import (
	"maps"
	"slices"
)

// Drift is a pin whose name stands for something else now than when it was
// locked, or of which there is a newer version.
type Drift struct {
	Image  string `json:"image"`
	Pin    string `json:"pin"`    // what the recipe names: "asyn R4-45", "debian:trixie-slim", "gcc"
	Locked string `json:"locked"` // digest, commit or version; empty for what is not locked
	Now    string `json:"now"`    // likewise; empty for what is no longer needed
}

// Drifts compares a lock of img with what its names stand for now, by pin.
func (i *Image) Drifts(locked, now *Lock) []Drift {
	var all []Drift
	differ := func(pin, was, is string) {
		if was != is {
			all = append(all, Drift{i.Name, pin, was, is})
		}
	}
	differ(i.Base, locked.Base, now.Base)
	for _, name := range both(locked.Modules, now.Modules) {
		was, is := locked.Modules[name], now.Modules[name]
		differ(name+" "+is.Ref, string(was.Commit), string(is.Commit))
		if was.Commit == is.Commit {
			for _, sub := range both(was.Submodules, is.Submodules) {
				differ(name+" "+sub, string(was.Submodules[sub]), string(is.Submodules[sub]))
			}
		}
	}
	for _, p := range both(locked.Packages.Build, now.Packages.Build) {
		differ(p, locked.Packages.Build[p], now.Packages.Build[p])
	}
	for _, p := range both(locked.Packages.Run, now.Packages.Run) {
		differ(p, locked.Packages.Run[p], now.Packages.Run[p])
	}
	return all
}

// both gives the keys of two maps, each once, sorted.
func both[V any](a, b map[string]V) []string {
	all := append(slices.Collect(maps.Keys(a)), slices.Collect(maps.Keys(b))...)
	slices.Sort(all)
	return slices.Compact(all)
}
