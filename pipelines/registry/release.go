package registry

import (
	"context"
	"slices"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/version"
)

// PushRecord pushes a record by digest and without a tag, and returns its address,
// "host/path/records/bl01t@sha256:…". It is no release yet: it can be signed
// before Seal makes it one.
func (r *Registry) PushRecord(ctx context.Context, rec *record.Record) (string, error) {
	img, _, err := recordArtifact(rec)
	if err != nil {
		return "", err
	}
	repo := r.prefix + "/records/" + rec.Asset
	digest, err := r.push(ctx, repo, img)
	return repo + "@" + digest, err
}

// recordArtifact returns a record in the form it has in a registry, and its version.
func recordArtifact(rec *record.Record) (v1.Image, version.Version, error) {
	body, err := record.Encode(rec)
	if err != nil {
		return nil, version.Version{}, err
	}
	v, err := version.Parse(rec.Version)
	if err != nil {
		return nil, version.Version{}, err
	}
	img, err := newArtifact(content{record.MediaType, []byte("{}")}, map[string]string{
		"org.opencontainers.image.title":    rec.Asset,
		"org.opencontainers.image.version":  rec.Version,
		"org.opencontainers.image.revision": rec.Commit,
	}, content{record.MediaType, body})
	return img, v, err
}

// newestFirst sorts the versions of each scheme newest first, scheme by scheme.
func newestFirst(list []version.Version) []version.Version {
	slices.SortStableFunc(list, func(a, b version.Version) int {
		if c, err := version.Compare(b, a); err == nil {
			return c
		}
		return strings.Compare(string(b.Scheme()), string(a.Scheme()))
	})
	return list
}
