package registry

import (
	"context"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry/content"
)

// PushFolder pushes files, by their paths, as what a cluster's own tools deliver from,
// and tags it with a version. It returns the address by digest. name is
// "manifests/bl01t". A tag that names other content is moved: a folder is made from a
// release, and is none itself.
func (r *Registry) PushFolder(
	ctx context.Context, name string, v asset.Version, files map[string][]byte, annotations map[string]string,
) (asset.Ref, error) {
	img, err := content.Folder(files, annotations)
	if err != nil {
		return "", err
	}
	ref := r.Ref(name, v)
	digest, err := r.push(ctx, ref.Repository(), img)
	if err != nil {
		return "", err
	}
	a := record.Artifact{Ref: ref, Digest: digest}
	return a.Pinned(), r.tag(ctx, a)
}
