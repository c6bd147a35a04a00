package registry

import (
	"context"
	"errors"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/registry/content"
)

// OneImage returns an error unless the digest in ref is that of one image, or artifact. A
// list of images is none, of which another may have been tested than a node takes: the
// error is then of kind Refused.
func (r *Registry) OneImage(ctx context.Context, ref asset.Ref) error {
	_, err := r.imageAt(ctx, ref)
	return err
}

// imageAt returns the image, or artifact, with the digest in ref. Errors are those of
// OneImage.
func (r *Registry) imageAt(ctx context.Context, ref asset.Ref) (v1.Image, error) {
	d, err := r.get(ctx, ref)
	if err != nil {
		return nil, err
	}
	img, err := single(d)
	if errors.Is(err, errList) {
		return nil, &diag.Error{
			Kind: diag.Refused, Doing: "reading", Asset: string(ref), Err: err,
			Fix: "release a new version with Tagline, which pushes one image and no list",
		}
	}
	if err != nil {
		return nil, r.unread(ctx, "reading", ref, err)
	}
	return img, nil
}

// errList is the fault of what is to be one image, and lets each reader choose another.
var errList = errors.New("it is a list of images, of which a reader takes whichever it likes")

// single returns the image that a manifest is. What it is, its content says too: the
// media type is a header of the registry's answer.
func single(d *remote.Descriptor) (v1.Image, error) {
	if d.MediaType.IsIndex() || content.IsList(d.Manifest) {
		return nil, errList
	}
	img, err := d.Image()
	if err != nil {
		return nil, err
	}
	return img, content.CheckSizes(img)
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

// maxPull is the largest record or chart that is read, in bytes: the record of a beamline
// of thousands of instances with every PV is some tens of megabytes.
const maxPull = 256 << 20

// pull returns the bytes of an artifact's only layer, checked against the digest
// in ref. The artifact's config must have the media type.
func (r *Registry) pull(ctx context.Context, ref asset.Ref, media string) ([]byte, error) {
	img, err := r.imageAt(ctx, ref)
	if err != nil {
		return nil, err
	}
	b, err := content.OnlyLayer(img, media, maxPull)
	if err != nil {
		return nil, r.unread(ctx, "pulling", ref, err)
	}
	return b, nil
}
