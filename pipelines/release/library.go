package release

import (
	"context"
	"io/fs"
	"maps"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/plan"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/settings"
)

// library returns the library chart of a tree: its own, or the released one that
// its settings name, or the one that this program carries.
func (b Builder) library(ctx context.Context, files fs.FS, pin asset.Pin) (*chart.Library, error) {
	if pin.IsZero() || chart.HasLibrary(files) {
		return chart.LibraryOf(files)
	}
	rec, err := b.lineage().Library(ctx, pin, settings.File)
	if err != nil {
		return nil, err
	}
	packed, err := b.Registry.Chart(ctx, rec.Artifacts[0].Pinned())
	if err != nil {
		return nil, err
	}
	return chart.Unpack(packed)
}

// readLibraries refuses what no release of a library chart of the tree would take.
// The error joins every fault.
func readLibraries(files fs.FS) error {
	assets, err := plan.Assets(files)
	if err != nil {
		return err
	}
	var faults diag.Faults
	for _, name := range slices.Sorted(maps.Keys(assets)) {
		if assets[name] == asset.Library {
			_, err := chart.LibraryNamed(files, string(name))
			faults.Add(err)
		}
	}
	return faults.Err()
}

// libraryJob releases the library chart, for beamlines outside this repository.
type libraryJob struct {
	*job
	packed []byte
}

// build packages the chart.
func (l *libraryJob) build(context.Context) error {
	name := string(l.plan.Tag.Asset)
	lib, err := chart.LibraryNamed(l.files, name)
	if err != nil {
		return err
	}
	if l.packed, err = lib.Archive(l.plan.Tag.Version.String()); err != nil {
		return err
	}
	l.rec.Checks = []record.Test{{
		Name: record.PackageTest, Of: name, Passed: true, Evidence: []string{"packaged and read back"},
	}}
	return nil
}

// push pushes the chart by digest; sealing tags it.
func (l *libraryJob) push(ctx context.Context) error {
	pushed, err := l.Registry.PushChart(ctx, l.packed)
	l.rec.Artifacts = []record.Artifact{pushed}
	return err
}
