package release

import (
	"context"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/lineage"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/smoke"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// imageJob builds and smoke-tests a generic IOC image.
type imageJob struct {
	*job
	recipes *recipe.Tree // the image and what it is built on
	img     *recipe.Image
	locks   map[asset.Name]*lockfile.Lock
	parent  *image.Image // nil for the root of the hierarchy
	// The release before this one, as far as modules are taken from it; nil builds all.
	former *image.Former

	// What only an engine can do.
	below    func(context.Context, asset.Pin) (*image.Image, error) // of the tree
	assemble func(context.Context) (*image.Image, error)
	send     func(ctx context.Context, c *dagger.Container, name string) (asset.Digest, error)
	tests    []func(context.Context, smoke.Subject) (*record.Test, error)
}

func newImageJob(j *job) *imageJob {
	i := &imageJob{job: j, send: j.publish, below: j.fromTree}
	i.assemble = i.onEngine
	i.tests = append(i.tests, i.smoke, i.contents)
	return i
}

func (i *imageJob) work() work {
	return work{plan: i.plan, build: i.build, push: i.push, test: i.test}
}

// plan reads the recipe and its lock, and finds what the image is built on.
func (i *imageJob) plan(ctx context.Context) error {
	recipes, err := recipefile.Read(i.files)
	if err != nil {
		return err
	}
	i.img = recipes.Images[i.job.plan.Tag.Asset]
	if i.locks, err = lockfile.Read(i.files, recipes, i.img.Name); err != nil {
		return err
	}
	i.rec.Recipe = lineage.Describe(recipes, i.img, i.locks[i.img.Name])
	if i.inTree {
		return i.planInTree(ctx, recipes)
	}
	i.former = i.taking(ctx, i.before)
	below, released, err := i.lineage().Below(ctx, i.img)
	if err != nil {
		return err
	}
	if i.recipes, err = recipes.On(i.img, below); err != nil || released == nil {
		return err
	}
	i.parent = i.pulled(released)
	i.rec.Parents.Releases = append(i.rec.Parents.Releases, parentOf(released, asset.Developer))
	return nil
}

// planInTree builds what the image is built on from the tree.
func (i *imageJob) planInTree(ctx context.Context, recipes *recipe.Tree) (err error) {
	i.recipes, i.former = recipes, i.formerOf(ctx, asset.Pin{Asset: i.img.Name})
	switch {
	case i.img.Base != "":
		return nil
	case recipes.Images[i.img.Parent.Asset] == nil:
		return notHere(i.img)
	}
	i.parent, err = i.below(ctx, i.img.Parent)
	return err
}

// build builds both targets.
func (i *imageJob) build(ctx context.Context) (err error) {
	if i.image, err = i.assemble(ctx); err != nil {
		return err
	}
	i.rec.Sources, i.rec.Parents.Root = i.image.Sources, i.image.Base
	return nil
}

// onEngine builds both targets with the engine.
func (i *imageJob) onEngine(ctx context.Context) (*image.Image, error) {
	built, err := i.builder().Build(ctx, i.img, i.parent)
	if err != nil {
		return nil, err
	}
	if _, err = built.Runtime.Sync(ctx); err != nil {
		return nil, &diag.Error{
			Kind: diag.Broken, Doing: "building the runtime image of", Asset: string(i.img.Name), File: i.img.File,
			Err: engine.Explain(err), Fix: engine.Fix(err, "run it again"),
		}
	}
	return built, nil
}

// builder returns what builds the image.
func (i *imageJob) builder() image.Builder {
	return image.Builder{
		Client: i.Client, Files: i.files, Tree: i.recipes, Mirrors: i.Mirrors,
		Logins: i.Logins, Locks: i.locks, Former: i.former,
	}
}

// push pushes both targets by digest, where nobody sees them until sealing tags
// them, and goes on with the image as the registry has it: what is tested is
// what is published.
func (i *imageJob) push(ctx context.Context) error {
	targets := []asset.Target{asset.Developer, asset.Runtime}
	artifacts := make([]record.Artifact, len(targets))
	pin := i.job.plan.Tag.Pin()
	err := step.EachIndex(ctx, len(targets), len(targets), func(ctx context.Context, n int) error {
		name := pin.Asset.Image(targets[n])
		digest, err := i.send(ctx, i.image.Target(targets[n]), name)
		if err != nil {
			return &diag.Error{
				Kind: diag.Broken, Doing: "publishing " + name, Asset: string(i.img.Name),
				Version: pin.Version.String(), Err: err,
				Fix: "see that the engine may push to " + i.Registry.Prefix() + ", then run it again to finish",
			}
		}
		artifacts[n] = record.Artifact{
			Name: name, Type: record.ImageType, Target: targets[n], Ref: i.Registry.Ref(name, pin.Version),
			Digest: digest,
		}
		return nil
	})
	if err != nil {
		return err
	}
	i.rec.Artifacts = sorted(artifacts)
	sources := i.image.Sources
	i.image = i.pulled(i.rec)
	i.image.Sources = sources
	return nil
}

// pulled returns the image of a record as the registry has it.
func (b Builder) pulled(rec *record.Record) *image.Image {
	developer, runtime := rec.Image(asset.Developer).Pinned(), rec.Image(asset.Runtime).Pinned()
	return image.Released(b.Client, developer, runtime, rec.Parents.Root)
}

// parentOf returns a released image as a parent, by its image of a target.
func parentOf(rec *record.Record, target asset.Target) record.Parent {
	a := rec.Image(target)
	return record.Parent{Asset: rec.Asset, Version: rec.Version, Ref: a.Pinned(), Digest: a.Digest}
}
