package scaffold

import (
	"fmt"
	"io/fs"
	"os"
	"path"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// RootTag is the first tag of the root of a hierarchy: the version of EPICS Base that its
// recipe has, and the site's first release of that.
const RootTag = "epics-base/7.0.8.1r1.0"

// FirstTag returns the first tag of any other asset.
func FirstTag(name string) (asset.Tag, error) { return asset.ParseTag(name + "/1.0.0") }

// FirstInstance returns the name of the instance that a beamline begins with where nobody
// names one.
func FirstInstance(beamline string) string { return beamline + "-ea-ioc-01" }

// AddInstance returns an instance of a beamline that the tree has. Another beamline is
// refused (diag.Invalid).
func (r Repository) AddInstance(files fs.FS, line, name string, image asset.Pin) (Files, error) {
	folder := path.Join(beamline.Dir, line)
	if _, err := fs.Stat(files, path.Join(folder, "beamline.yaml")); err != nil {
		return nil, &diag.Error{
			Kind: diag.Invalid, Doing: "adding an instance to", Asset: line,
			Err: fmt.Errorf("this repository has no %s/beamline.yaml", folder),
			Fix: "name a beamline of it, or write one with tagline new beamline " + line,
		}
	}
	return r.Instance(line, name, image)
}

// Beginnable refuses a folder within a repository, of which it is not the root, for a
// repository of its own (diag.Invalid). The folder need not be there.
func Beginnable(dir string) error {
	repo, err := tree.Open(dir)
	if err != nil {
		return nil // as a rule there is none yet
	}
	root, err := repo.WorkTree()
	if err != nil {
		return err
	}
	whole, err := os.Stat(root)
	if err != nil {
		return err
	}
	here, err := os.Stat(dir)
	if err != nil || os.SameFile(whole, here) {
		return err
	}
	return &diag.Error{
		Kind: diag.Invalid, Doing: "beginning a repository in", Asset: dir,
		Err: fmt.Errorf("the folder belongs to the repository in %s", root),
		Fix: "begin in a folder outside it, or add to it with tagline new",
	}
}
