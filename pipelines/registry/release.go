package registry

import (
	"cmp"
	"context"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry/content"
	"github.com/tagline-ci/tagline/pipelines/version"
)

// PushRecord pushes a record by digest and without a tag, and returns its address,
// "host/path/records/bl01t@sha256:…". It is no release yet: it can be signed
// before Seal makes it one.
func (r *Registry) PushRecord(ctx context.Context, rec *record.Record) (asset.Ref, error) {
	img, err := content.Record(rec)
	if err != nil {
		return "", err
	}
	digest, err := r.push(ctx, r.prefix+"/"+recordName(rec.Asset), img)
	return r.RecordRef(rec.Asset, digest), err
}

// newestFirst sorts the versions of each scheme newest first, scheme by scheme.
func newestFirst(list []asset.Version) []asset.Version {
	slices.SortStableFunc(list, func(a, b asset.Version) int {
		if c, err := version.Compare(b, a); err == nil {
			return c
		}
		return cmp.Compare(version.SchemeOf(b), version.SchemeOf(a))
	})
	return list
}
