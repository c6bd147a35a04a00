package release

import (
	"context"
	"io/fs"
	"slices"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/lineage"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/source"
	"github.com/tagline-ci/tagline/pipelines/step"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// Builder builds with an engine.
type Builder struct {
	Client  *dagger.Client
	Mirrors source.Mirrors
	Logins  source.Logins // of the git servers that hold private sources
	// Registry holds the releases that images are built on. Without one, what an
	// image is built on must be in its own tree.
	Registry *registry.Registry
	Trusted  attest.Trusted // whose signature those releases must have; nil asks for none
}

// lineage returns what reads the releases that images are built on.
func (b Builder) lineage() lineage.Reader {
	return lineage.Reader{Registry: b.Registry, Trusted: b.Trusted}
}

// Image describes an image of the tree at a revision: what a developer works in,
// before anything is released. Its parents are built from the tree too, where the
// tree has them.
func (b Builder) Image(ctx context.Context, repo *tree.Repository, rev string, name asset.Name) (*image.Image, error) {
	files, err := filesAt(repo, rev)
	if err != nil {
		return nil, err
	}
	return b.build(ctx, files, asset.Pin{Asset: name}, nil)
}

// build builds an image of the tree, and before it all that it is built on. former finds
// the release of each that modules are taken from, by how the one above pins it; without,
// every module is built.
func (b Builder) build(
	ctx context.Context, files fs.FS, pin asset.Pin, former func(context.Context, asset.Pin) *image.Former,
) (*image.Image, error) {
	recipes, outside, err := recipefile.ReadAlone(files)
	if err != nil {
		return nil, err
	}
	chain := recipes.Chain(pin.Asset)
	if len(chain) == 0 {
		return nil, unknown(recipes, pin.Asset)
	}
	if slices.Contains(outside, chain[0]) {
		return nil, notHere(chain[0])
	}
	var names []asset.Name
	pins := []asset.Pin{pin} // of the images of the chain
	for _, img := range slices.Backward(chain) {
		names, pins = append(names, img.Name), append([]asset.Pin{img.Parent}, pins...)
	}
	pins = pins[1:] // the root has no parent
	locks, err := lockfile.Read(files, recipes, names...)
	if err != nil {
		return nil, err
	}
	builder := image.Builder{
		Client: b.Client, Files: files, Tree: recipes, Mirrors: b.Mirrors,
		Logins: b.Logins, Locks: locks,
	}
	var built *image.Image
	for i, img := range chain {
		err := step.Run(ctx, "building "+string(img.Name)+" from the tree", func(ctx context.Context) (err error) {
			if former != nil {
				builder.Former = former(ctx, pins[i])
			}
			built, err = builder.Build(ctx, img, built)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return built, nil
}

// notHere refuses to build on an image that the tree does not have.
func notHere(img *recipe.Image) error {
	return diag.Invalidf(img.File, 0, "leave out --in-tree, to build on the release",
		"%s is built on %s, which can't be built from this tree: it has no image of that name", img.Name, img.Parent)
}
