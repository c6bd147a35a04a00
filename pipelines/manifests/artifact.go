package manifests

import (
	"context"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// Push pushes the set as an OCI artifact, manifests/<beamline> at the release's version,
// and returns its address by digest. The same record gives the same digest. It is signed
// before its tag names it, so that nobody finds it there unsigned; with a nil Signer it
// is not signed.
func (s *Set) Push(ctx context.Context, reg *registry.Registry, by sign.Signer) (asset.Ref, error) {
	files := map[string][]byte{}
	for _, f := range s.Files {
		files[f.Name] = []byte(f.Text)
	}
	folder, err := reg.PushFolder(ctx, "manifests/"+string(s.Beamline), s.Version, files, map[string]string{
		"org.opencontainers.image.title":       string(s.Beamline),
		"org.opencontainers.image.version":     s.Version.String(),
		"org.opencontainers.image.description": "rendered by tagline from record " + string(s.Record),
	})
	if err != nil {
		return "", err
	}
	if by != nil {
		signer := attest.Signer{Registry: reg, By: by}
		if err := signer.Derived(ctx, folder.Pinned(), asset.Tag{Asset: s.Beamline, Version: s.Version}); err != nil {
			return "", err
		}
	}
	return folder.Pinned(), reg.TagFolder(ctx, folder)
}
