package main

import (
	"context"
	"maps"
	"slices"

	"dagger/tagline/internal/dagger"

	"github.com/tagline-ci/tagline/pipelines/asset"
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
	p, err := t.pipeline(ctx)
	if err != nil {
		return nil, err
	}
	files, err := t.working(ctx)
	if err != nil {
		return nil, err
	}
	names := make([]asset.Name, len(assets))
	for i, name := range assets {
		names[i] = asset.Name(name) // whatever it is: the tree has none of a name that is none
	}
	locks, err := p.Lock(ctx, files, names...)
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
