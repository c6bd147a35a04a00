package release

import (
	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/plan"
	"github.com/tagline-ci/tagline/pipelines/settings"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// Chart returns the chart that a release would make of an instance as it is at a
// revision. One that is a tag of the beamline gives the chart its version. Nothing but
// the repository is asked.
func Chart(repo *tree.Repository, rev string, name asset.Name, instance string) (*chart.Shown, error) {
	files, err := repo.At(rev)
	if err != nil {
		return nil, err
	}
	own, err := settings.Read(files)
	if err != nil {
		return nil, err
	}
	version := ""
	if _, err := repo.Resolve("refs/tags/" + rev); err == nil {
		if assets, err := plan.Assets(files); err == nil {
			if tag, err := assets.Resolve(rev); err == nil && tag.Asset == name {
				version = tag.Version.String()
			}
		}
	}
	return chart.Show(files, own.Library, name, instance, version)
}
