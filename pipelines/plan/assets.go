package plan

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/version"
)

// charts is the folder of the tree that holds library charts.
const charts = "charts"

// Assets gives everything in a tree that has a version of its own, by name,
// with its kind: the folders of generic-iocs/ (but support/), charts/ and
// beamlines/. It reads no files. Two assets of one name are refused, because a
// tag could not tell them apart.
func Assets(fsys fs.FS) (map[string]record.Kind, error) {
	assets := map[string]record.Kind{}
	folders := map[string]string{}
	var faults []error
	for _, of := range []struct {
		dir  string
		kind record.Kind
	}{{recipe.Dir, record.Image}, {charts, record.Library}, {beamline.Dir, record.Beamline}} {
		entries, err := fs.ReadDir(fsys, of.dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, &diag.Error{Kind: diag.Broken, Doing: "listing", Asset: of.dir, Err: err}
		}
		for _, e := range entries {
			name, folder := e.Name(), path.Join(of.dir, e.Name())
			if !e.IsDir() || strings.HasPrefix(name, ".") || folder == path.Join(recipe.Dir, "support") {
				continue
			}
			if other, ok := folders[name]; ok {
				faults = append(faults, diag.Invalidf(folder, 0, "rename one of the folders", "%s is an asset of this name too, and a tag %s/… could mean either", other, name))
				continue
			}
			assets[name], folders[name] = of.kind, folder
		}
	}
	return assets, errors.Join(faults...)
}

// Tag reads a git tag of a tree: "<asset>/<version>", or a bare version where
// the tree has one asset only. Refusals are those of version.CheckTag.
func Tag(fsys fs.FS, text string) (version.Tag, error) {
	assets, err := Assets(fsys)
	if err != nil {
		return version.Tag{}, err
	}
	checked, err := version.CheckTag(text, "", assets)
	return checked.Tag, err
}
