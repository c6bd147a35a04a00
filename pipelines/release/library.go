package release

import (
	"context"
	"io/fs"

	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// libraryJob releases the library chart, for beamlines outside this repository.
type libraryJob struct {
	*job
	packed []byte
}

// build packages the chart.
func (l *libraryJob) build(context.Context) error {
	name := string(l.plan.Tag.Asset)
	folder, err := fs.Sub(l.files, "charts/"+name)
	if err != nil {
		return err
	}
	lib, err := chart.ReadLibrary(folder)
	if err != nil {
		return err
	}
	if l.packed, err = lib.Archive(l.plan.Tag.Version.String()); err != nil {
		return err
	}
	l.rec.Checks = []record.Test{{Name: record.PackageTest, Of: name, Passed: true, Evidence: []string{"packaged and read back"}}}
	return nil
}

// push pushes the chart by digest; sealing tags it.
func (l *libraryJob) push(ctx context.Context) error {
	pushed, err := l.Registry.PushChart(ctx, l.packed)
	l.rec.Artifacts = []record.Artifact{pushed}
	return err
}
