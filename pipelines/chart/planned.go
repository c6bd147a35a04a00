package chart

import (
	"io/fs"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
)

// unreleased stands for the image that an instance will run, by a digest of zeros:
// only the release knows the digest. It is empty for a service, whose images are in
// its chart: all of them want the policy's consent.
func unreleased(inst *beamline.Instance, version string) string {
	if inst.Service != "" {
		return ""
	}
	name := string(inst.Image.Asset.Image(asset.Runtime)) + ":" + inst.Image.Version.OCITag()
	if inst.InImage() {
		name = "instances/" + inst.Name + ":" + strings.ReplaceAll(version, "+", "_")
	}
	return name + "@sha256:" + strings.Repeat("0", 64)
}

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
		image := unreleased(inst, version)
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
