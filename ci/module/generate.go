package main

import (
	"context"
	"maps"
	"slices"

	"dagger/tagline/internal/dagger"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/engine"
)

// Generate makes the config folders of a beamline's instances that have sources in
// generate/, and returns them as a change of the working copy.
//
// +cache="never"
func (t *Tagline) Generate(
	ctx context.Context,
	// The folder below beamlines/.
	beamline string,
	// Folders below its iocs/; all that have sources when none is named.
	// +optional
	instances []string,
	// Build the images that the generators run in from the tree.
	// +optional
	inTree bool,
) (*dagger.Changeset, error) {
	p, err := t.pipeline(ctx)
	if err != nil {
		return nil, err
	}
	files, err := t.working(ctx)
	if err != nil {
		return nil, err
	}
	name := asset.Name(beamline) // whatever it is: the tree has none of a name that is none
	made, err := p.Generate(ctx, files, name, inTree, instances...)
	if err != nil {
		return nil, err
	}
	after := t.Work
	for _, folder := range slices.Sorted(maps.Keys(made)) {
		id, err := engine.Files(p.Client, made[folder]).ID(ctx)
		if err != nil {
			return nil, err
		}
		after = replaced(after, folder, dag.LoadDirectoryFromID(dagger.DirectoryID(id)))
	}
	return after.Changes(t.Work), nil
}

// replaced is a folder in which another has the place of one of its own.
func replaced(dir *dagger.Directory, folder string, by *dagger.Directory) *dagger.Directory {
	return dir.WithoutDirectory(folder).WithDirectory(folder, by)
}
