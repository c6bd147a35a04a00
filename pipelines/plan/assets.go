package plan

import (
	"errors"
	"io/fs"
	"path"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// charts is the folder of the tree that holds library charts.
const charts = "charts"

// Assets returns everything in a tree that has a version of its own, by name,
// with its kind: the folders of generic-iocs/ (but support/), charts/ and
// beamlines/. It reads no files. Two assets of one name are refused, because a
// tag could not tell them apart.
func Assets(fsys fs.FS) (asset.Assets, error) {
	assets := asset.Assets{}
	folders := map[string]string{}
	var faults []error
	for _, root := range []struct {
		dir  string
		kind asset.Kind
	}{{recipe.Dir, asset.Image}, {charts, asset.Library}, {beamline.Dir, asset.Beamline}} {
		entries, err := fs.ReadDir(fsys, root.dir)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, &diag.Error{Kind: diag.Broken, Doing: "listing", Asset: root.dir, Err: err,
				Fix: "see what git fsck says of the repository, or clone it anew"}
		}
		for _, e := range entries {
			name, folder := e.Name(), path.Join(root.dir, e.Name())
			if !e.IsDir() || strings.HasPrefix(name, ".") || folder == path.Join(recipe.Dir, "support") {
				continue
			}
			if other, ok := folders[name]; ok {
				faults = append(faults, diag.Invalidf(
					folder, 0, "rename one of the folders",
					"%s is an asset of this name too, and a tag %s/… could mean either", other, name,
				))
				continue
			}
			assets[asset.Name(name)], folders[name] = root.kind, folder
		}
	}
	return assets, errors.Join(faults...)
}
