package registry

import (
	"context"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/registry/content"
)

// imageAt returns the image with the digest in ref.
func (r *Registry) imageAt(ctx context.Context, ref asset.Ref) (v1.Image, error) {
	if err := r.ours(ref); err != nil {
		return nil, err
	}
	digest, err := name.NewDigest(string(ref), name.StrictValidation)
	if err != nil {
		return nil, badRef(ref, err)
	}
	d, err := r.puller.Get(ctx, digest)
	if isNotFound(err) {
		return nil, missing(ref)
	}
	if err != nil {
		return nil, r.unread(ctx, "reading", ref, err)
	}
	img, err := d.Image()
	if err != nil {
		return nil, r.unread(ctx, "reading", ref, err)
	}
	return img, nil
}

// pull returns the bytes of an artifact's only layer, checked against the digest
// in ref. The artifact's config must have the media type.
func (r *Registry) pull(ctx context.Context, ref asset.Ref, media string) ([]byte, error) {
	img, err := r.imageAt(ctx, ref)
	if err != nil {
		return nil, err
	}
	b, err := content.OnlyLayer(img, media)
	if err != nil {
		return nil, r.unread(ctx, "pulling", ref, err)
	}
	return b, nil
}
