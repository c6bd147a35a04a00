package registry

import (
	"context"
	"fmt"
	"io"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// maxChart is the largest chart that is read, in bytes: Helm stores a release
// in one object of Kubernetes, which may hold a megabyte.
const maxChart = 16 << 20

// Chart pulls a packaged chart (.tgz) by digest: "host/path/charts/x@sha256:…".
// Its bytes are checked against the digest. A chart that isn't there is an error
// of kind Invalid, what is no chart of kind Refused.
func (r *Registry) Chart(ctx context.Context, ref string) ([]byte, error) {
	at, err := name.NewDigest(ref, name.StrictValidation)
	if err != nil {
		return nil, badRef(ref, err)
	}
	img, err := remote.Image(at, r.with(ctx)...)
	if isNotFound(err) {
		return nil, missing(ref)
	}
	if err != nil {
		return nil, r.fault("pulling chart", ref, err)
	}
	m, err := img.Manifest()
	if err != nil {
		return nil, r.fault("pulling chart", ref, err)
	}
	if string(m.Config.MediaType) != chartConfig || len(m.Layers) == 0 || string(m.Layers[0].MediaType) != chartLayer || m.Layers[0].Size > maxChart {
		return nil, &diag.Error{Kind: diag.Refused, Doing: "pulling chart", Asset: ref, Err: fmt.Errorf("it is no Helm chart but %s with %d layers", m.Config.MediaType, len(m.Layers)),
			Fix: "release the beamline again: its record names something else as a chart"}
	}
	layer, err := img.LayerByDigest(m.Layers[0].Digest)
	if err != nil {
		return nil, r.fault("pulling chart", ref, err)
	}
	body, err := layer.Compressed()
	if err != nil {
		return nil, r.fault("pulling chart", ref, err)
	}
	defer body.Close()
	tgz, err := io.ReadAll(body)
	if err != nil {
		return nil, r.fault("pulling chart", ref, err)
	}
	return tgz, nil
}
