package image

import (
	"context"
	"fmt"

	"dagger.io/dagger"
	"golang.org/x/sync/errgroup"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// taken returns the folders of the modules that the former release has built with the
// same inputs, from its developer image, by name. An image that can't be pulled gives
// nothing: a line of progress says why, and its modules lose their From, as they are
// built. The error is that of ctx.
func (b Builder) taken(
	ctx context.Context, img *recipe.Image, sources []record.Source,
) (map[string]*dagger.Directory, error) {
	folders := map[string]*dagger.Directory{}
	for _, src := range sources {
		if src.From != nil {
			developer := b.Client.Container().From(string(b.Former.Record.Image(asset.Developer).Pinned()))
			folders[src.Module] = developer.Directory(layout.Module(src.Module))
		}
	}
	var g errgroup.Group
	for _, folder := range folders {
		g.Go(func() error {
			_, err := folder.Sync(ctx)
			return err
		})
	}
	err := g.Wait()
	if err == nil || ctx.Err() != nil {
		return folders, ctx.Err()
	}
	step.Say(ctx, "building "+string(img.Name), fmt.Sprintf(
		"every module is built: taking from the developer image of %s: %v", b.Former.Origin.Release,
		engine.Explain(err),
	))
	for i := range sources {
		sources[i].From = nil
	}
	return nil, nil
}

// sayTaken shows how many modules are taken, and which releases built them.
func sayTaken(ctx context.Context, img *recipe.Image, sources []record.Source) {
	all := record.Record{Sources: sources}
	for _, o := range all.Builders() {
		n := 0
		for _, src := range sources {
			if src.From != nil && *src.From == o {
				n++
			}
		}
		step.Say(ctx, "building "+string(img.Name), fmt.Sprintf(
			"%d of %d modules: built by %s", n, len(sources), o.Release,
		))
	}
}
