package content

import (
	"errors"
	"fmt"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// maxPull is the largest layer that is read, in bytes: the record of a beamline
// of thousands of instances with every PV is some tens of megabytes.
const maxPull = 256 << 20

// OnlyLayer returns the bytes of the only layer of an artifact whose config has a
// media type. It and the config are checked against their digests.
func OnlyLayer(img v1.Image, media string) ([]byte, error) {
	m, err := img.Manifest()
	if err != nil {
		return nil, err
	}
	switch {
	case string(m.Config.MediaType) != media:
		return nil, fmt.Errorf("it is a %s, not a %s", m.Config.MediaType, media)
	case len(m.Layers) == 0:
		return nil, errors.New("it has no layer")
	case m.Layers[0].Size > maxPull:
		return nil, fmt.Errorf(
			"its layer has %d MiB, more than the %d that are read",
			m.Layers[0].Size>>20,
			maxPull>>20,
		)
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
