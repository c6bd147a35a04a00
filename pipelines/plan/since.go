package plan

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
)

// Tree is the files of one commit.
type Tree struct {
	Commit string // 40 hex digits
	Files  fs.FS
	// Library is the released library chart that tagline.yaml names; zero where it names
	// none. (To read that file is not for a room that touches nothing.)
	Library asset.Pin
}

// Changes is what a change of the tree asks for: exactly the assets that
// depend on what changed. Nothing is published before it is tagged.
type Changes struct {
	From    string    `json:"from"`              // commits, 40 hex digits
	To      string    `json:"to"`                //
	Assets  []Changed `json:"assets"`            // parents before what is built on them: by level, then by name
	Removed []Removed `json:"removed,omitempty"` // assets that are no longer in the tree, by name
	Steps   []Step    `json:"steps"`             // in the order they are done
}

// Changed is an asset that a change asks to make anew.
type Changed struct {
	Asset     asset.Name `json:"asset"`
	Kind      asset.Kind `json:"kind"`
	Level     int        `json:"level"` // 0, or one more than the parent's when that is made anew too
	Why       []string   `json:"why,omitempty"`
	Instances []Affected `json:"instances,omitempty"` // of a beamline, those that are affected, by name
	Removed   []string   `json:"removed,omitempty"`   // instances of a beamline that are no longer in the tree
}

// Affected is an IOC instance whose chart a change affects.
type Affected struct {
	Name string   `json:"name"`
	Why  []string `json:"why"`
}

// Removed is an asset that is no longer in the tree, or is one of another
// kind there. Its releases stay.
type Removed struct {
	Asset asset.Name `json:"asset"`
	Kind  asset.Kind `json:"kind"`
}

// Since returns what depends on the changed paths between two trees. An image
// depends on its folder, on the support modules that it builds and on those
// that they need, and on its parent; an instance on its own folder, on the
// beamline's values that it does not override, and on the library chart: the
// tree's, or the released one that tagline.yaml names. It does not depend on an
// image in the tree, as it runs a released one. Links are
// followed: what is changed behind a link is changed. The files of the newer
// tree that are read must be without fault (diag.Invalid).
func Since(from, to Tree, changed []string) (*Changes, error) {
	was, _ := Assets(from.Files) // what was wrong with the older tree matters no more
	now, err := Assets(to.Files)
	recipes, err2 := recipefile.Read(to.Files)
	linked, err3 := links(to.Files)
	if err := errors.Join(err, err2, err3); err != nil {
		return nil, err
	}
	s := &since{
		from: from.Files, to: to.Files, was: was, recipes: recipes,
		touched: classify(recipes, linked.through(changed)),
	}
	s.chart = files(s.touched.charts[library])
	if from.Library != to.Library && now[library] != asset.Library {
		s.chart = append(s.chart, "tagline.yaml: library changed")
	}
	c := &Changes{From: from.Commit, To: to.Commit, Assets: s.images(), Steps: []Step{}}
	c.Assets = append(c.Assets, s.libraries(now)...)
	beamlines, err := s.beamlines(now)
	if err != nil {
		return nil, err
	}
	c.Assets = append(c.Assets, beamlines...)
	slices.SortFunc(c.Assets, func(a, b Changed) int {
		return cmp.Or(cmp.Compare(a.Level, b.Level), cmp.Compare(a.Asset, b.Asset))
	})
	for _, name := range slices.Sorted(maps.Keys(was)) {
		if now[name] != was[name] {
			c.Removed = append(c.Removed, Removed{name, was[name]})
		}
	}
	for _, a := range c.Assets {
		c.Steps = append(c.Steps, a.steps()...)
	}
	return c, nil
}

// since is a comparison under way.
type since struct {
	from, to fs.FS
	was      asset.Assets
	recipes  *recipe.Tree
	touched  touched
	chart    []string // why the chart of every instance is made anew
}

// libraries returns the library charts with changed files.
func (s *since) libraries(now asset.Assets) (list []Changed) {
	for _, name := range slices.Sorted(maps.Keys(s.touched.charts)) {
		if now[name] == asset.Library {
			list = append(list, Changed{Asset: name, Kind: asset.Library, Why: files(s.touched.charts[name])})
		}
	}
	return list
}
