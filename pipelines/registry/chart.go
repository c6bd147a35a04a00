package registry

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry/content"
)

// PushChart pushes a packaged chart to charts/<name>, by digest and without a
// tag, and returns it as an artifact of a record. Content that is there already
// is not sent again.
func (r *Registry) PushChart(ctx context.Context, tgz []byte) (record.Artifact, error) {
	img, m, err := content.Chart(tgz)
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
	return r.pull(ctx, ref, content.ChartConfig)
}
