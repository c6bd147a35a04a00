package registry

import (
	"cmp"
	"context"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/version"
)

// PushRecord pushes a record by digest and without a tag, and returns its address,
// "host/path/records/bl01t@sha256:…". It is no release yet: it can be signed
// before Seal makes it one.
func (r *Registry) PushRecord(ctx context.Context, rec *record.Record) (asset.Ref, error) {
	img, err := recordArtifact(rec)
	if err != nil {
		return "", err
	}
	digest, err := r.push(ctx, r.prefix+"/"+recordName(rec.Asset), img)
	return r.RecordRef(rec.Asset, digest), err
}

// recordArtifact returns a record in the form it has in a registry.
func recordArtifact(rec *record.Record) (v1.Image, error) {
	body, err := record.Encode(rec)
	if err != nil {
		return nil, err
	}
	return newArtifact(content{record.MediaType, []byte("{}")}, map[string]string{
		"org.opencontainers.image.title":    string(rec.Asset),
		"org.opencontainers.image.version":  rec.Version.String(),
		"org.opencontainers.image.revision": rec.Commit,
	}, content{record.MediaType, body})
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
