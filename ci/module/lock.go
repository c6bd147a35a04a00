package main

import (
	"context"
	"maps"
	"slices"

	"dagger/tagline/internal/dagger"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/release"
)

// Lock pins what the recipes and services of the working copy name, and returns the
// lock files as a change of it: commits of sources, the digests of base images and of
// services' images, the versions of Debian packages.
//
// +cache="never"
func (t *Tagline) Lock(
	ctx context.Context,
	// Folders below generic-iocs/ and beamlines/; all when none is named.
	// +optional
	assets []string,
) (*dagger.Changeset, error) {
	files, err := t.working(ctx)
	if err != nil {
		return nil, err
	}
	names := make([]asset.Name, len(assets))
	for i, name := range assets {
		names[i] = asset.Name(name) // whatever it is: the tree has none of a name that is none
	}
	what, err := release.ReadLocking(files, names...)
	if err != nil {
		return nil, err
	}
	p, err := t.pipeline(ctx)
	if err != nil {
		return nil, err
	}
	locks, err := p.Lock(ctx, what)
	if err != nil {
		return nil, err
	}
	return written(t.Work, locks).Changes(t.Work), nil
}

// written is a working copy with the files by their paths. Content that is empty has
// no file.
func written[content string | []byte](dir *dagger.Directory, files map[string]content) *dagger.Directory {
	for _, file := range slices.Sorted(maps.Keys(files)) {
		if len(files[file]) == 0 {
			dir = dir.WithoutFile(file)
			continue
		}
		dir = dir.WithNewFile(file, string(files[file]))
	}
	return dir
}
