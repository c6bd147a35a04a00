package content

import (
	"archive/tar"
	"bytes"
	"io"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/tagline-ci/tagline/pipelines/layout"
)

// ConfigLayer returns files, by their paths below /epics/config, as the layer that
// has them there, for an image whose manifest has the media type. No time is in it.
func ConfigLayer(files map[string][]byte, manifest types.MediaType) (v1.Layer, types.MediaType, error) {
	media := types.DockerLayer
	if manifest == types.OCIManifestSchema1 {
		media = types.OCILayer
	}
	packed, err := pack(strings.TrimPrefix(layout.Config, "/"), files)
	if err != nil {
		return nil, media, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(packed)), nil }
	layer, err := tarball.LayerFromOpener(open, tarball.WithMediaType(media), tarball.WithCompressedCaching)
	return layer, media, err
}

// pack returns the archive of a layer that has files below a folder: "epics/config", or
// "" for the layer's own root. No time is in it.
func pack(folder string, files map[string][]byte) ([]byte, error) {
	var packed bytes.Buffer
	w := tar.NewWriter(&packed)
	seen := map[string]bool{}
	for _, file := range slices.Sorted(maps.Keys(files)) {
		full := path.Join(folder, file)
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

// Extends reports whether an image with the first config is the image with the
// second and one more layer, and starts the same program as the same user in the
// same environment.
func Extends(config, base *v1.ConfigFile) bool {
	layers, lower := config.RootFS.DiffIDs, base.RootFS.DiffIDs
	return len(layers) == len(lower)+1 && slices.Equal(layers[:len(lower)], lower) &&
		reflect.DeepEqual(config.Config, base.Config)
}
