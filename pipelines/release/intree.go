package release

import (
	"context"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// Image describes an image of the tree at a revision, with its parents built
// from the tree too: what a developer works in, before anything is released.
func (p Pipeline) Image(ctx context.Context, rev, name string) (*image.Image, error) {
	commit, err := p.Repo.Resolve(rev)
	if err != nil {
		return nil, &diag.Error{Kind: diag.Invalid, Doing: "reading revision " + rev, Err: err}
	}
	files, err := p.Repo.At(commit)
	if err != nil {
		return nil, err
	}
	recipes, err := recipe.Read(files)
	if err != nil {
		return nil, err
	}
	chain := recipes.Chain(name)
	if len(chain) == 0 {
		return nil, unknown(recipes, name)
	}
	var names []string
	for _, img := range chain {
		names = append(names, img.Name)
	}
	locks, err := recipes.Locks(files, names...)
	if err != nil {
		return nil, err
	}
	builder := image.Builder{Client: p.Client, Files: files, Tree: recipes, Mirrors: p.Mirrors, Locks: locks}
	var built *image.Image
	for _, img := range chain {
		if built, err = builder.Build(ctx, img, built); err != nil {
			return nil, err
		}
	}
	return built, nil
}
