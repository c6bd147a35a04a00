package diff

import (
	"context"
	"io/fs"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// Read reads a release's record from the registry and its tree from the
// repository. The error is of kind Invalid when there is no such release, or the
// repository does not have its commit.
func Read(ctx context.Context, repo *tree.Repository, reg *registry.Registry, t asset.Tag) (Release, error) {
	rec, _, err := reg.Record(ctx, t.Asset, t.Version)
	if err != nil {
		return Release{}, reg.Meant(ctx, t.Asset, t.Version, err)
	}
	files, err := repo.At(rec.Commit)
	if err != nil {
		return Release{}, &diag.Error{
			Kind:    diag.Invalid,
			Doing:   "reading the tree of",
			Asset:   string(t.Asset),
			Version: t.Version.String(),
			Err:     err,
			Fix:     "fetch the repository's whole history",
		}
	}
	return Of(ctx, reg, rec, files)
}

// Of returns the release of a record, made from a tree. What charts need beyond an IOC
// is read from those that were published.
func Of(ctx context.Context, reg *registry.Registry, rec *record.Record, files fs.FS) (Release, error) {
	rel := Release{Record: rec, Files: files, Needs: map[string][]string{}}
	if rec.Kind != asset.Beamline {
		return rel, nil
	}
	bl, err := beamline.Read(files, rec.Asset)
	if err != nil {
		return rel, nil // New says so: a release of long ago may break a rule of today
	}
	reaches := map[string]bool{}
	for _, inst := range bl.Instances {
		reaches[inst.Name] = inst.Reaches()
	}
	for _, inst := range rec.Instances {
		if !reaches[inst.Name] {
			continue
		}
		archive, err := reg.Chart(ctx, inst.Chart)
		if err != nil {
			return rel, err
		}
		needs, err := chart.Needs(archive, rec.Namespace, string(inst.Image))
		if err != nil {
			return rel, &diag.Error{
				Kind: diag.Broken, Doing: "looking at the chart of", Asset: inst.Name, Version: rec.Version.String(),
				Err: err, Fix: "mend the chart and tag a new version",
			}
		}
		rel.Needs[inst.Name] = needs
	}
	return rel, nil
}
