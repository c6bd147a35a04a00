package content

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	helm "helm.sh/helm/v3/pkg/chart"
	"sigs.k8s.io/yaml"
)

// Media types of a chart in a registry: https://helm.sh/docs/topics/registries/
const (
	ChartConfig = "application/vnd.cncf.helm.config.v1+json"
	ChartLayer  = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
)

// Chart returns a packaged chart in the form it has in a registry, and what it says
// of itself.
func Chart(tgz []byte) (v1.Image, *helm.Metadata, error) {
	m, err := chartMetadata(tgz)
	if err != nil {
		return nil, nil, err
	}
	config, err := json.Marshal(m)
	if err != nil {
		return nil, nil, fmt.Errorf("writing metadata of chart %s: %w", m.Name, err)
	}
	img, err := newArtifact(blob{ChartConfig, config}, chartAnnotations(m), blob{ChartLayer, tgz})
	return img, m, err
}

// chartMetadata reads Chart.yaml of a packaged chart: <name>/Chart.yaml in the
// archive, and the first file of those that Tagline packs.
func chartMetadata(tgz []byte) (*helm.Metadata, error) {
	text, err := chartFile(tgz)
	var m helm.Metadata
	if err == nil {
		err = yaml.Unmarshal(text, &m)
	}
	if err == nil {
		err = m.Validate()
	}
	if err != nil {
		return nil, fmt.Errorf("reading chart to push: %w", err)
	}
	return &m, nil
}

// unzippers are reused, as a release reads one chart after the other.
var unzippers = sync.Pool{New: func() any { return new(gzip.Reader) }}

func chartFile(tgz []byte) ([]byte, error) {
	unzipped := unzippers.Get().(*gzip.Reader)
	defer unzippers.Put(unzipped)
	if err := unzipped.Reset(bytes.NewReader(tgz)); err != nil {
		return nil, err
	}
	for files := tar.NewReader(unzipped); ; {
		h, err := files.Next()
		if err == io.EOF {
			return nil, errors.New("it has no Chart.yaml")
		}
		if err != nil {
			return nil, err
		}
		if _, file, _ := strings.Cut(h.Name, "/"); file == "Chart.yaml" {
			return io.ReadAll(files)
		}
	}
}

// chartAnnotations returns the annotations of a chart that Helm pushes, without
// the time, which would change the chart's digest each second.
func chartAnnotations(m *helm.Metadata) map[string]string {
	a := map[string]string{}
	maps.Copy(a, m.Annotations)
	a["org.opencontainers.image.title"] = m.Name
	a["org.opencontainers.image.version"] = m.Version
	a["org.opencontainers.image.description"] = m.Description
	return a
}
