package manifests

import (
	"context"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/registry"
)

// Push pushes the set as an OCI artifact, manifests/<beamline> at the release's version,
// and returns its address by digest. The same record gives the same digest.
func (s *Set) Push(ctx context.Context, reg *registry.Registry) (asset.Ref, error) {
	files := map[string][]byte{}
	for _, f := range s.Files {
		files[f.Name] = []byte(f.Text)
	}
	return reg.PushFolder(ctx, "manifests/"+string(s.Beamline), s.Version, files, map[string]string{
		"org.opencontainers.image.title":       string(s.Beamline),
		"org.opencontainers.image.version":     s.Version.String(),
		"org.opencontainers.image.description": "rendered by tagline from record " + string(s.Record),
	})
}
