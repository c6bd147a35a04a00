package registry

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	helm "helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"sigs.k8s.io/yaml"

	"github.com/tagline-ci/tagline/pipelines/record"
)

// Media types of a chart in a registry: https://helm.sh/docs/topics/registries/
const (
	chartConfig = "application/vnd.cncf.helm.config.v1+json"
	chartLayer  = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
)

// PushChart pushes a packaged chart by its digest and without a tag, to
// charts/<name>, and gives it as an artifact of a record. What is there already
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
	return record.Artifact{Name: m.Name, Type: "chart", Ref: repo + ":" + tag, Digest: digest, Size: int64(len(tgz))}, err
}

// chartMetadata reads Chart.yaml of a packaged chart.
func chartMetadata(tgz []byte) (*helm.Metadata, error) {
	files, err := loader.LoadArchiveFiles(bytes.NewReader(tgz))
	if err != nil {
		return nil, fmt.Errorf("reading chart to push: %w", err)
	}
	var m helm.Metadata
	for _, f := range files {
		if f.Name == "Chart.yaml" {
			err = yaml.Unmarshal(f.Data, &m)
		}
	}
	if err == nil {
		err = m.Validate()
	}
	if err != nil {
		return nil, fmt.Errorf("reading chart to push: %w", err)
	}
	return &m, nil
}

// chartAnnotations gives the annotations that Helm gives a chart it pushes, but
// for the time, which would give the same chart another digest each second.
func chartAnnotations(m *helm.Metadata) map[string]string {
	a := map[string]string{}
	maps.Copy(a, m.Annotations)
	a["org.opencontainers.image.title"] = m.Name
	a["org.opencontainers.image.version"] = m.Version
	a["org.opencontainers.image.description"] = m.Description
	return a
}

// push sends an artifact to a repository by its digest, which it gives.
func (r *Registry) push(ctx context.Context, repo string, img v1.Image) (string, error) {
	h, err := img.Digest()
	if err != nil {
		return "", fmt.Errorf("reading digest of %s: %w", repo, err)
	}
	ref, err := name.NewDigest(repo+"@"+h.String(), name.StrictValidation)
	if err != nil {
		return "", badRef(repo, err)
	}
	if err := r.pusher.Push(ctx, ref, img); err != nil {
		return "", r.fault("pushing", ref.String(), err)
	}
	r.pushed.Store(ref.String(), img)
	return h.String(), nil
}

// Chart pulls a packaged chart by its address, "host/path/charts/name@sha256:…",
// and checks it against its digest.
func (r *Registry) Chart(ctx context.Context, ref string) ([]byte, error) {
	return r.pull(ctx, ref, chartConfig)
}
