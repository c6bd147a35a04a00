package content

import (
	"bytes"
	"compress/gzip"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// folderConfig is the media type of the config of a folder: the one by which Flux and
// its tools know an artifact that is to be delivered.
const folderConfig = "application/vnd.cncf.flux.config.v1+json"

// Folder returns files, by their paths, as the artifact that Flux's OCIRepository and
// Argo CD deliver from: one layer, whose media type both take. No time is in it.
func Folder(files map[string][]byte, annotations map[string]string) (v1.Image, error) {
	packed, err := pack("", files)
	if err != nil {
		return nil, fmt.Errorf("packing the manifests: %w", err)
	}
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write(packed); err != nil {
		return nil, fmt.Errorf("packing the manifests: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("packing the manifests: %w", err)
	}
	return newArtifact(blob{folderConfig, []byte("{}")}, annotations, blob{types.OCILayer, zipped.Bytes()})
}
