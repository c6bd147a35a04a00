package content

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// maxConfig is the largest config of an image that is read, in bytes. That of an image of
// a hundred layers has some tens of kilobytes.
const maxConfig = 8 << 20

// ErrTooLarge is the cause where something is larger than what is read of it.
var ErrTooLarge = errors.New("too large")

// IsList reports whether a manifest is a list of images, whatever its media type is said
// to be.
func IsList(manifest []byte) bool {
	var m struct {
		Manifests json.RawMessage `json:"manifests"`
	}
	return json.Unmarshal(manifest, &m) != nil || m.Manifests != nil
}

// CheckSizes returns an error where an artifact's config, which is read into memory, is
// larger than any is, or where a size is none: what has no size is read without end.
func CheckSizes(img v1.Image) error {
	m, err := img.Manifest()
	if err != nil {
		return err
	}
	if m.Config.Size > maxConfig {
		return fmt.Errorf("its config of %d bytes is %w", m.Config.Size, ErrTooLarge)
	}
	for _, d := range append([]v1.Descriptor{m.Config}, m.Layers...) {
		if d.Size < 0 {
			return fmt.Errorf("the size of %s is %d", d.Digest, d.Size)
		}
	}
	return nil
}

// OnlyLayer returns the bytes of the only layer of an artifact whose config has a
// media type. It and the config are checked against their digests. The error is
// ErrTooLarge where the layer has more bytes than limit.
func OnlyLayer(img v1.Image, media string, limit int64) ([]byte, error) {
	m, err := img.Manifest()
	if err != nil {
		return nil, err
	}
	switch {
	case string(m.Config.MediaType) != media:
		return nil, fmt.Errorf("it is a %s, not a %s", m.Config.MediaType, media)
	case len(m.Layers) == 0:
		return nil, errors.New("it has no layer")
	case m.Layers[0].Size > limit:
		return nil, fmt.Errorf("its layer of %d bytes is %w: %d at most are read", m.Layers[0].Size, ErrTooLarge, limit)
	}
	if _, err := img.RawConfigFile(); err != nil {
		return nil, err
	}
	layer, err := img.LayerByDigest(m.Layers[0].Digest)
	if err != nil {
		return nil, err
	}
	body, err := layer.Compressed()
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

// ReadAll reads an image's config and layers to their ends, which checks each
// against its digest, and returns how many bytes they have.
func ReadAll(img v1.Image) (int64, error) {
	m, err := img.Manifest()
	if err != nil {
		return 0, err
	}
	sum := m.Config.Size
	if _, err := img.RawConfigFile(); err != nil {
		return 0, err
	}
	for _, l := range m.Layers {
		layer, err := img.LayerByDigest(l.Digest)
		if err != nil {
			return 0, err
		}
		body, err := layer.Compressed()
		if err != nil {
			return 0, err
		}
		n, err := io.Copy(io.Discard, body)
		body.Close()
		if err != nil {
			return 0, fmt.Errorf("reading layer %s: %w", l.Digest, err)
		}
		sum += n
	}
	return sum, nil
}

// LayerSizes returns how many bytes the layers of an image have.
func LayerSizes(img v1.Image) (sum int64, err error) {
	m, err := img.Manifest()
	if err != nil {
		return 0, err
	}
	for _, l := range m.Layers {
		sum += l.Size
	}
	return sum, nil
}
