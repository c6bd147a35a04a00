package chart

import (
	"cmp"
	"fmt"
	"io/fs"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
)

// Shown is the chart that a release would make of an instance: what the chart gets,
// and what it renders to.
type Shown struct {
	Beamline  asset.Name `json:"beamline"`
	Instance  string     `json:"instance"`
	Namespace string     `json:"namespace"`
	Version   string     `json:"version"`
	Image     string     `json:"image"` // with a digest of zeros; empty for a service
	// Notes say what stands for something that only the release knows.
	Notes     []string         `json:"notes"`
	Values    []beamline.Value `json:"values"`
	Manifests string           `json:"manifests"` // as Render returns them
}

// noVersion is the version of a chart that nobody has tagged.
const noVersion = "0.0.0"

// Show returns the chart of an instance of a tree. It asks no registry: where the
// tree's settings name a released library chart, pinned, this program's stands for it.
// version is the release's, empty where there is none. The error is of kind
// diag.Invalid, and names those there are, when there is no such beamline or instance.
func Show(tree fs.FS, pinned asset.Pin, name asset.Name, instance, version string) (*Shown, error) {
	bl, err := beamline.Read(tree, name)
	if err != nil {
		return nil, err
	}
	inst, err := bl.Instance(instance)
	if err != nil {
		return nil, err
	}
	library, err := LibraryOf(tree)
	if err != nil {
		return nil, err
	}
	s := &Shown{
		Beamline: name, Instance: instance, Namespace: bl.Namespace, Version: cmp.Or(version, noVersion),
	}
	s.Image = unreleased(inst, s.Version)
	s.Notes = notes(inst, s, version != "", !pinned.IsZero() && !HasLibrary(tree), pinned)
	if s.Values, err = bl.Origins(tree, inst); err != nil {
		return nil, err
	}
	archive, err := library.Package(bl, inst, s.Image, s.Version)
	if err != nil {
		return nil, err
	}
	if s.Manifests, err = Render(archive, bl.Namespace); err != nil {
		return nil, fault(inst, inst.Folder, err)
	}
	return s, nil
}

// notes returns what stands for something that only the release knows.
func notes(inst *beamline.Instance, s *Shown, tagged, replaced bool, pinned asset.Pin) []string {
	all := []string{}
	what := fmt.Sprintf("the image is %s, whose digest a release asks the registry for", inst.Image)
	if inst.InImage() {
		what = fmt.Sprintf(
			"the image is %s with the config folder as one more layer, which a release makes", inst.Image,
		)
	}
	if inst.Service == "" {
		all = append(all, what+": here it is all zeros")
	}
	if !tagged {
		all = append(all, "the version is that of the release's tag: here it is "+s.Version)
	}
	if replaced {
		all = append(all, fmt.Sprintf("the library chart is %s, which a release fetches from the registry: "+
			"here it is the one that Tagline carries", pinned))
	}
	return all
}
