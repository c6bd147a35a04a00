package main

import (
	"context"
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
	return locked(t.Work, locks).Changes(t.Work), nil
}

// locked is a working copy with lock files by their paths. A lock of nothing has
// no file.
func locked(dir *dagger.Directory, locks map[string][]byte) *dagger.Directory {
	var files []string
	for file := range locks {
		files = append(files, file)
	}
	slices.Sort(files)
	for _, file := range files {
		if len(locks[file]) == 0 {
			dir = dir.WithoutFile(file)
			continue
		}
		dir = dir.WithNewFile(file, string(locks[file]))
	}
	return dir
}
