package diff

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"path"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diff/text"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// union returns the keys of both, sorted.
func union[V any](a, b map[string]V) []string {
	all := map[string]bool{}
	for k := range a {
		all[k] = true
	}
	for k := range b {
		all[k] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// changes returns what differs, by name.
func changes(a, b map[string]string) (list []Change) {
	for _, name := range union(a, b) {
		if a[name] != b[name] {
			list = append(list, Change{name, a[name], b[name]})
		}
	}
	return list
}

// values returns an instance's values as people write them, maps key by key.
func values(i *beamline.Instance) map[string]string {
	all := map[string]string{}
	if i.Foreign != nil && len(i.Foreign.Command) > 0 {
		all["command"] = plain(i.Foreign.Command)
	}
	if i.Foreign != nil && len(i.Foreign.Boot) > 0 {
		all["boot.command"] = plain(i.Foreign.Boot)
	}
	if i.NotBooted != "" {
		all["boot.none"] = i.NotBooted
	}
	for key, value := range i.Values.Fields() {
		if m, ok := value.(map[string]any); ok {
			for k, x := range m {
				all[key+"."+k] = plain(x)
			}
			continue
		}
		all[key] = plain(value)
	}
	return all
}

func plain(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // it came from JSON
	}
	return string(b)
}

// pvs compares what the IOCs of two releases served when they were tested.
func pvs(a, b *record.Record) (list []PV) {
	x, y := served(a), served(b)
	for _, name := range union(x, y) {
		p, q := x[name], y[name]
		if p != q {
			list = append(list, PV{Name: name, OldType: p.kind, NewType: q.kind, OldIOC: p.ioc, NewIOC: q.ioc})
		}
	}
	return list
}

// NewNotes returns the notes of b's tests that those of a did not leave. An instance
// that a does not have is left out: all of it is new.
func NewNotes(a, b *record.Record) (list []Note) {
	before := map[Note]bool{}
	tested := map[string]bool{}
	for _, t := range a.Checks {
		tested[t.Of] = true
		for _, text := range t.Notes {
			before[Note{t.Of, text}] = true
		}
	}
	for _, t := range b.Checks {
		for _, text := range t.Notes {
			if n := (Note{t.Of, text}); tested[t.Of] && !before[n] {
				list = append(list, n)
			}
		}
	}
	return list
}

type service struct{ kind, ioc string }

func served(r *record.Record) map[string]service {
	all := map[string]service{}
	for _, t := range r.Checks {
		for _, pv := range t.PVs {
			all[pv.Name] = service{pv.Type, t.Of}
		}
	}
	return all
}

// folders compares the files that a release is made of, beside a beamline's
// instances.
func folders(from, to Release) ([]File, error) {
	dir := "charts/ioc-lib"
	switch name := string(from.Record.Asset); from.Record.Kind {
	case asset.Image:
		dir = path.Join(recipe.Dir, name)
	case asset.Library:
		dir = path.Join("charts", name)
	}
	var sides [2]map[string][]byte
	for i, r := range []Release{from, to} {
		all, err := read(r.Files, dir)
		if err != nil {
			return nil, err
		}
		sides[i] = all
	}
	return files(sides[0], sides[1]), nil
}

// read returns all files below a folder, by their names from the root.
func read(fsys fs.FS, dir string) (map[string][]byte, error) {
	all := map[string][]byte{}
	err := fs.WalkDir(fsys, dir, func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && name == dir {
			return fs.SkipDir
		}
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		all[name], err = fs.ReadFile(fsys, name)
		return err
	})
	return all, err
}

// files returns the files that differ, by name.
func files(a, b map[string][]byte) (list []File) {
	for _, name := range union(a, b) {
		old, before := a[name]
		now, after := b[name]
		switch {
		case before && after && bytes.Equal(old, now):
		case before && after:
			list = append(list, File{name, Changes, text.Lines(old, now)})
		case after:
			list = append(list, File{name, Appears, nil})
		default:
			list = append(list, File{name, Disappears, nil})
		}
	}
	return list
}
