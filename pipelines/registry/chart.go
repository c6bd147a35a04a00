package registry

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	helm "helm.sh/helm/v3/pkg/chart"
	"sigs.k8s.io/yaml"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// Media types of a chart in a registry: https://helm.sh/docs/topics/registries/
const (
	chartConfig = "application/vnd.cncf.helm.config.v1+json"
	chartLayer  = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
)

// PushChart pushes a packaged chart to charts/<name>, by digest and without a
// tag, and returns it as an artifact of a record. Content that is there already
// is not sent again.
func (r *Registry) PushChart(ctx context.Context, tgz []byte) (record.Artifact, error) {
	m, err := chartMetadata(tgz)
	if err != nil {
		return record.Artifact{}, err
	}
	config, err := json.Marshal(m)
	if err != nil {
		return record.Artifact{}, fmt.Errorf("writing metadata of chart %s: %w", m.Name, err)
	}
	img, err := newArtifact(content{chartConfig, config}, chartAnnotations(m), content{chartLayer, tgz})
	if err != nil {
		return record.Artifact{}, err
	}
	repo := r.prefix + "/charts/" + m.Name
	digest, err := r.push(ctx, repo, img)
	tag := strings.ReplaceAll(m.Version, "+", "_") // as Helm does
	return record.Artifact{
		Name:   m.Name,
		Type:   record.ChartType,
		Ref:    asset.Ref(repo + ":" + tag),
		Digest: digest,
		Size:   int64(len(tgz)),
	}, err
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

// push sends an artifact to a repository by its digest, and returns the digest.
func (r *Registry) push(ctx context.Context, repo string, img v1.Image) (asset.Digest, error) {
	h, err := img.Digest()
	if err != nil {
		return "", fmt.Errorf("reading digest of %s: %w", repo, err)
	}
	ref, err := name.NewDigest(repo+"@"+h.String(), name.StrictValidation)
	if err != nil {
		return "", badRef(asset.Ref(repo), err)
	}
	if err := r.pusher.Push(ctx, ref, img); err != nil {
		return "", r.fault("pushing", asset.Ref(ref.String()), err)
	}
	r.pushed.Store(asset.Ref(ref.String()), img)
	return asset.Digest(h.String()), nil
}

// Chart pulls a packaged chart by its address, "host/path/charts/name@sha256:…",
// and checks it against its digest.
func (r *Registry) Chart(ctx context.Context, ref asset.Ref) ([]byte, error) {
	return r.pull(ctx, ref, chartConfig)
}
