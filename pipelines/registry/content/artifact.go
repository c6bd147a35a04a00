// Package content has what a registry keeps in the form it has there: charts,
// records, statements and config folders as manifests and layers, without a registry.
package content

import (
	"encoding/json"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/partial"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// artifact is a manifest that is no container image: its config and layers have
// media types of their own.
type artifact struct {
	manifest []byte
	config   []byte
	blobs    map[v1.Hash]v1.Layer
}

// blob is bytes of a media type.
type blob struct {
	media types.MediaType
	bytes []byte
}

// newArtifact returns an artifact in the form that go-containerregistry pushes.
// Equal arguments make equal digests: no time is in it.
func newArtifact(config blob, annotations map[string]string, layers ...blob) (v1.Image, error) {
	return newReferrer(nil, config, annotations, layers...)
}

// newReferrer returns an artifact that refers to subject, another manifest.
func newReferrer(
	subject *v1.Descriptor,
	config blob,
	annotations map[string]string,
	layers ...blob,
) (v1.Image, error) {
	a := &artifact{config: config.bytes, blobs: map[v1.Hash]v1.Layer{}}
	m := v1.Manifest{SchemaVersion: 2, MediaType: types.OCIManifestSchema1, Annotations: annotations, Subject: subject}
	for i, c := range append([]blob{config}, layers...) {
		layer := static.NewLayer(c.bytes, c.media)
		d, err := partial.Descriptor(layer)
		if err != nil {
			return nil, fmt.Errorf("describing %s: %w", c.media, err)
		}
		a.blobs[d.Digest] = layer
		if i == 0 {
			m.Config = *d
		} else {
			m.Layers = append(m.Layers, *d)
		}
	}
	var err error
	if a.manifest, err = json.Marshal(m); err != nil {
		return nil, fmt.Errorf("writing manifest: %w", err)
	}
	return partial.CompressedToImage(a)
}

// RawManifest returns the manifest's bytes.
func (a *artifact) RawManifest() ([]byte, error) { return a.manifest, nil }

// RawConfigFile returns the config's bytes.
func (a *artifact) RawConfigFile() ([]byte, error) { return a.config, nil }

// MediaType returns the manifest's media type.
func (a *artifact) MediaType() (types.MediaType, error) { return types.OCIManifestSchema1, nil }

// LayerByDigest returns the config or a layer.
func (a *artifact) LayerByDigest(h v1.Hash) (partial.CompressedLayer, error) {
	if l, ok := a.blobs[h]; ok {
		return l, nil
	}
	return nil, fmt.Errorf("no layer %s", h)
}
