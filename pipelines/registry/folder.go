package registry

import (
	"context"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry/content"
)

// PushFolder pushes files, by their paths, as what a cluster's own tools deliver from. It
// returns what TagFolder makes visible at the version. name is "manifests/bl01t".
func (r *Registry) PushFolder(
	ctx context.Context, name string, v asset.Version, files map[string][]byte, annotations map[string]string,
) (record.Artifact, error) {
	img, err := content.Folder(files, annotations)
	if err != nil {
		return record.Artifact{}, err
	}
	ref := r.Ref(name, v)
	digest, err := r.push(ctx, ref.Repository(), img)
	return record.Artifact{Ref: ref, Digest: digest}, err
}

// TagFolder tags what PushFolder pushed with its version. A tag that names other content
// is moved: a folder is made from a release, and is none itself.
func (r *Registry) TagFolder(ctx context.Context, folder record.Artifact) error {
	return r.tag(ctx, folder)
}
