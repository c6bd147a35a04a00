package registry

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/record"
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
	layerMedia := types.DockerLayer
	if media == types.OCIManifestSchema1 {
		layerMedia = types.OCILayer
	}
	packed, err := configLayer(files)
	if err != nil {
		return nil, fmt.Errorf("packing the config folder of %s: %w", instance, err)
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed)), nil }
	layer, err := tarball.LayerFromOpener(open, tarball.WithMediaType(layerMedia), tarball.WithCompressedCaching)
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
	size, err := layerSizes(img)
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
	layers, lower := configs[0].RootFS.DiffIDs, configs[1].RootFS.DiffIDs
	return len(layers) == len(lower)+1 && slices.Equal(layers[:len(lower)], lower) &&
		reflect.DeepEqual(configs[0].Config, configs[1].Config), nil
}

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

// configLayer packs files as the layer that has them in /epics/config.
func configLayer(files map[string][]byte) ([]byte, error) {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	seen := map[string]bool{}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		full := strings.TrimPrefix(path.Join(layout.Config, file), "/")
		for i, r := range full {
			if r == '/' && !seen[full[:i]] {
				seen[full[:i]] = true
				if err := w.WriteHeader(&tar.Header{
					Name: full[:i] + "/", Typeflag: tar.TypeDir, Mode: 0o755, ModTime: time.Unix(0, 0),
				}); err != nil {
					return nil, err
				}
			}
		}
		if err := w.WriteHeader(&tar.Header{
			Name: full, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(files[file])), ModTime: time.Unix(0, 0),
		}); err != nil {
			return nil, err
		}
		if _, err := w.Write(files[file]); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return packed.Bytes(), nil
}

// layerSizes returns how many bytes the layers of an image have.
func layerSizes(img v1.Image) (sum int64, err error) {
	m, err := img.Manifest()
	if err != nil {
		return 0, err
	}
	for _, l := range m.Layers {
		sum += l.Size
	}
	return sum, nil
}
