package registry

import (
	"context"
	"errors"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/registry/content"
)

// imageAt returns the image with the digest in ref.
func (r *Registry) imageAt(ctx context.Context, ref asset.Ref) (v1.Image, error) {
	d, err := r.get(ctx, ref)
	if err != nil {
		return nil, err
	}
	img, err := d.Image()
	if err != nil {
		return nil, r.unread(ctx, "reading", ref, err)
	}
	return img, nil
}

// errList is the fault of what is to be one image, and lets each reader choose another.
var errList = errors.New("it is a list of images, of which a reader takes whichever it likes")

// oneImage returns what imageAt does, when the digest is that of the image itself.
func (r *Registry) oneImage(ctx context.Context, ref asset.Ref) (v1.Image, error) {
	d, err := r.get(ctx, ref)
	if err != nil {
		return nil, err
	}
	if d.MediaType.IsIndex() {
		return nil, r.unread(ctx, "reading", ref, errList)
	}
	return d.Image()
}

// get returns the manifest with the digest in ref.
func (r *Registry) get(ctx context.Context, ref asset.Ref) (*remote.Descriptor, error) {
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
	return d, nil
}

// pull returns the bytes of an artifact's only layer, checked against the digest
// in ref. The artifact's config must have the media type.
func (r *Registry) pull(ctx context.Context, ref asset.Ref, media string) ([]byte, error) {
	img, err := r.oneImage(ctx, ref)
	if err != nil {
		return nil, err
	}
	b, err := content.OnlyLayer(img, media)
	if err != nil {
		return nil, r.unread(ctx, "pulling", ref, err)
	}
	return b, nil
}
