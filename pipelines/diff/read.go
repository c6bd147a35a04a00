package diff

import (
	"context"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// Read reads a release's record from the registry and its tree from the
// repository. The error is of kind Invalid when there is no such release, or the
// repository does not have its commit.
func Read(ctx context.Context, repo *tree.Repository, reg *registry.Registry, t asset.Tag) (Release, error) {
	rec, _, err := reg.Record(ctx, t.Asset, t.Version)
	if err != nil {
		return Release{}, err
	}
	files, err := repo.At(rec.Commit)
	if err != nil {
		return Release{}, &diag.Error{
			Kind:    diag.Invalid,
			Doing:   "reading the tree of",
			Asset:   string(t.Asset),
			Version: t.Version.String(),
			Err:     err,
			Fix:     "fetch the repository's whole history",
		}
	}
	return Release{Record: rec, Files: files}, nil
}
