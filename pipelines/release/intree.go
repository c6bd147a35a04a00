package release

import (
	"context"
	"io/fs"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/source"
	"github.com/tagline-ci/tagline/pipelines/step"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// Builder builds with an engine and needs no registry.
type Builder struct {
	Client  *dagger.Client
	Mirrors source.Mirrors
}

// Image describes an image of the tree at a revision, with its parents built
// from the tree too: what a developer works in, before anything is released.
func (b Builder) Image(ctx context.Context, repo *tree.Repository, rev, name string) (*image.Image, error) {
	commit, err := repo.Resolve(rev)
	if err != nil {
		return nil, &diag.Error{Kind: diag.Invalid, Doing: "reading revision " + rev, Err: err}
	}
	files, err := repo.At(commit)
	if err != nil {
		return nil, err
	}
	recipes, err := recipe.Read(files)
	if err != nil {
		return nil, err
	}
	return b.build(ctx, files, recipes, name)
}

// build builds an image of the tree, and before it all that it is built on.
func (b Builder) build(ctx context.Context, files fs.FS, recipes *recipe.Tree, name string) (*image.Image, error) {
	chain := recipes.Chain(name)
	if len(chain) == 0 {
		return nil, unknown(recipes, name)
	}
	var names []string
	for _, img := range chain {
		names = append(names, img.Name)
	}
	locks, err := lockfile.Read(files, recipes, names...)
	if err != nil {
		return nil, err
	}
	builder := image.Builder{Client: b.Client, Files: files, Tree: recipes, Mirrors: b.Mirrors, Locks: locks}
	var built *image.Image
	for _, img := range chain {
		err := step.Run(ctx, "building "+img.Name+" from the tree", func(ctx context.Context) (err error) {
			built, err = builder.Build(ctx, img, built)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return built, nil
}
