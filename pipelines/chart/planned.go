package chart

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
)

// Planned returns what the charts of a beamline in a tree will need, by instance, as
// Needs returns it for those that are released; nothing of ordinary ones. version is
// the release's. Where the library chart is a released one, the tree's or this
// program's stands for it.
func Planned(tree fs.FS, name asset.Name, version string) (map[string][]string, error) {
	bl, err := beamline.Read(tree, name)
	if err != nil || !slices.ContainsFunc(bl.Instances, (*beamline.Instance).Reaches) {
		return nil, err
	}
	library, err := LibraryOf(tree)
	if err != nil {
		return nil, err
	}
	all := map[string][]string{}
	for _, inst := range bl.Instances {
		if !inst.Reaches() {
			continue
		}
		image := "" // of a service, whose images are in its chart
		if inst.Service == "" {
			image = fmt.Sprintf("%s@sha256:%s", inst.Image.Asset, strings.Repeat("0", 64)) // known when it is released
		}
		archive, err := library.Package(bl, inst, image, version)
		if err != nil {
			return nil, err
		}
		if all[inst.Name], err = Needs(archive, bl.Namespace, image); err != nil {
			return nil, fault(inst, inst.Folder, err)
		}
	}
	return all, nil
}
