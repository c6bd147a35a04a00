package chart

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
)

// epoch is the time of every file in a chart, so that only their contents tell
// one archive from another.
var epoch = time.Unix(0, 0).UTC()

// zippers are used again: a new one takes longer to make than a chart to pack.
var zippers = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// archive packs files, by their path in the chart, as Helm packs the chart
// name. The order is that of the paths.
func archive(name string, files map[string][]byte) ([]byte, error) {
	var out bytes.Buffer
	zipper := zippers.Get().(*gzip.Writer)
	defer zippers.Put(zipper)
	zipper.Reset(&out)
	tarrer := tar.NewWriter(zipper)
	for _, path := range slices.Sorted(maps.Keys(files)) {
		h := &tar.Header{Name: name + "/" + path, Mode: 0o644, Size: int64(len(files[path])), ModTime: epoch,
			Format: tar.FormatPAX}
		if err := tarrer.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("packing %s of chart %s: %w", path, name, err)
		}
		if _, err := tarrer.Write(files[path]); err != nil {
			return nil, fmt.Errorf("packing %s of chart %s: %w", path, name, err)
		}
	}
	if err := tarrer.Close(); err != nil {
		return nil, fmt.Errorf("packing chart %s: %w", name, err)
	}
	if err := zipper.Close(); err != nil {
		return nil, fmt.Errorf("packing chart %s: %w", name, err)
	}
	return out.Bytes(), nil
}
