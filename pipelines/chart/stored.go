package chart

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	helm "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/release"

	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

const (
	// maxSecret is how many bytes Kubernetes takes in a Secret: core/v1's
	// MaxSecretSize.
	maxSecret = 1 << 20
	// room is kept for what Helm adds when it deploys: times, a status, notes.
	room = 4 << 10
	// surelyStored is how many bytes of chart and manifests fit in any case:
	// compressed not at all, and as base64, they are below maxSecret.
	surelyStored = maxSecret * 5 / 8
)

// checkStored refuses a chart that Helm could not keep in its Secret of the
// release. That holds the files of the chart and what they render to: a config
// file is in it twice.
func checkStored(c *helm.Chart, manifests map[string]string, inst *beamline.Instance, version string) error {
	size, err := stored(c, manifests)
	if err != nil {
		return fault(inst, inst.Folder, err)
	}
	if size+room <= maxSecret {
		return nil
	}
	return &diag.Error{Kind: diag.Invalid, Doing: "packaging chart", Asset: inst.Name, Version: version,
		File: inst.Folder + "/config",
		Err: fmt.Errorf("its files are stored twice by Helm, which makes %d bytes when compressed; a Secret takes %d", size,
			maxSecret-room),
		Fix: "move large files into the generic IOC"}
}

// stored returns how large a release of a chart is in Helm's storage, at most:
// JSON, compressed, as base64 (helm.sh/helm/v3/pkg/storage/driver, encodeRelease).
func stored(c *helm.Chart, manifests map[string]string) (int, error) {
	var manifest bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(manifests)) {
		fmt.Fprintf(&manifest, "---\n# Source: %s\n%s\n", name, manifests[name])
	}
	text, err := json.Marshal(&release.Release{Name: c.Name(), Chart: c, Manifest: manifest.String(), Version: 1})
	if err != nil {
		return 0, fmt.Errorf("encoding the release: %w", err)
	}
	if len(text) <= surelyStored {
		return len(text), nil
	}
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return 0, err
	}
	if _, err := w.Write(text); err != nil {
		return 0, err
	}
	if err := w.Close(); err != nil {
		return 0, err
	}
	return base64.StdEncoding.EncodedLen(packed.Len()), nil
}
