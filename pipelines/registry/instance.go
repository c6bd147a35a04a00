package registry

import (
	"context"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry/content"
)

// Instance is the image of an IOC instance whose config folder no ConfigMap can
// have: its generic IOC's runtime image with that folder as one more layer.
type Instance struct {
	Artifact record.Artifact // in instances/<name>
	image    v1.Image
}

// NewInstance describes the image of an instance at a version: base, by digest,
// with files below /epics/config. Nothing is pushed. Equal arguments make equal
// digests: no time is in it.
func (r *Registry) NewInstance(
	ctx context.Context, instance string, v asset.Version, base asset.Ref, files map[string][]byte,
) (*Instance, error) {
	below, err := r.imageAt(ctx, base)
	if err != nil {
		return nil, err
	}
	media, err := below.MediaType()
	if err != nil {
		return nil, r.unread(ctx, "reading", base, err)
	}
	layer, layerMedia, err := content.ConfigLayer(files, media)
	if err != nil {
		return nil, fmt.Errorf("packing the config folder of %s: %w", instance, err)
	}
	img, err := mutate.Append(below, mutate.Addendum{
		Layer: layer, MediaType: layerMedia, History: v1.History{CreatedBy: "tagline: config of " + instance},
	})
	if err != nil {
		return nil, r.unread(ctx, "reading", base, err)
	}
	digest, err := img.Digest()
	if err != nil {
		return nil, r.unread(ctx, "reading", base, err)
	}
	size, err := content.LayerSizes(img)
	return &Instance{
		Artifact: record.Artifact{
			Name: instance, Type: record.InstanceType, Ref: r.Ref("instances/"+instance, v),
			Digest: asset.Digest(digest.String()), Size: size,
		},
		image: img,
	}, err
}

// PushInstance pushes the image of an instance by its digest and without a tag.
// Layers that the registry has already are not sent again.
func (r *Registry) PushInstance(ctx context.Context, i *Instance) error {
	_, err := r.push(ctx, i.Artifact.Ref.Repository(), i.image)
	return err
}

// Extends reports whether an image is another with one more layer, and starts the
// same program as the same user in the same environment. Both are by digest.
func (r *Registry) Extends(ctx context.Context, ref, base asset.Ref) (bool, error) {
	img, err := r.imageAt(ctx, ref)
	if err != nil {
		return false, err
	}
	below, err := r.imageAt(ctx, base)
	if err != nil {
		return false, err
	}
	var configs [2]*v1.ConfigFile
	for n, one := range []v1.Image{img, below} {
		if configs[n], err = one.ConfigFile(); err != nil {
			return false, r.unread(ctx, "reading", []asset.Ref{ref, base}[n], err)
		}
	}
	return content.Extends(configs[0], configs[1]), nil
}
