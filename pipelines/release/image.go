package release

import (
	"context"
	"fmt"
	"io/fs"
	"path"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// image builds and smoke-tests a generic IOC image.
func (j *job) image(ctx context.Context) (*made, error) {
	recipes, err := recipe.Read(j.files)
	if err != nil {
		return nil, err
	}
	img := recipes.Images[string(j.plan.Tag.Asset)]
	locks, err := recipes.Locks(j.files, img.Name)
	if err != nil {
		return nil, err
	}
	rec := j.record()
	parent, err := j.parent(ctx, recipes, img, rec)
	if err != nil {
		return nil, err
	}
	builder := image.Builder{Client: j.Client, Files: j.files, Tree: recipes, Mirrors: j.Mirrors, Locks: locks}
	var built *image.Image
	err = step.Run(ctx, "building "+j.plan.Tag.String(), func(ctx context.Context) (err error) {
		if built, err = builder.Build(ctx, img, parent); err != nil {
			return err
		}
		_, err = built.Runtime.Sync(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	rec.Sources = built.Sources
	if rec.Parents.Root, err = asset.ParseRef(built.Base); err != nil {
		return nil, err
	}
	if j.publishes {
		if built, err = j.publishImage(ctx, img, built, rec); err != nil {
			return nil, err
		}
	}
	err = step.Run(ctx, "testing "+j.plan.Tag.String(), func(ctx context.Context) (err error) {
		rec.Checks, err = j.test(ctx, img, built, parent, rec.Image(asset.Runtime).Digest)
		return err
	})
	return &made{rec: rec, image: built}, err
}

// parent gives what img is built on, nil for the root of the hierarchy, and
// notes in rec which release it is.
func (j *job) parent(ctx context.Context, recipes *recipe.Tree, img *recipe.Image, rec *record.Record) (*image.Image, error) {
	if img.Base != "" {
		return nil, nil
	}
	if j.inTree {
		return j.build(ctx, j.files, recipes, string(img.Parent.Asset))
	}
	released, parent, err := j.released(ctx, img.Parent, img.File)
	if err != nil {
		return nil, err
	}
	rec.Parents.Releases = append(rec.Parents.Releases, parentOf(released, asset.Developer))
	return parent, nil
}

// publishImage pushes both targets by digest, where nobody sees them until
// sealing tags them, and gives the image as the registry has it: what is tested
// is what is published.
func (j *job) publishImage(ctx context.Context, img *recipe.Image, built *image.Image, rec *record.Record) (*image.Image, error) {
	v := j.plan.Tag.Version
	targets := []asset.Target{asset.Developer, asset.Runtime}
	artifacts := make([]record.Artifact, len(targets))
	err := step.Run(ctx, "publishing "+j.plan.Tag.String(), func(ctx context.Context) error {
		return step.Each(ctx, len(targets), []int{0, 1}, func(ctx context.Context, i int) error {
			name := j.plan.Tag.Asset.Image(targets[i])
			digest, err := j.push(ctx, built.Target(targets[i]), name)
			if err != nil {
				return &diag.Error{Kind: diag.Broken, Doing: "publishing " + name, Asset: img.Name, Version: v.String(), Err: err}
			}
			artifacts[i] = record.Artifact{Name: name, Type: record.ImageType, Target: targets[i], Ref: j.Registry.Ref(name, v), Digest: digest}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	rec.Artifacts = sorted(artifacts)
	pulled := j.pulled(rec)
	pulled.Sources = built.Sources
	return pulled, nil
}

// released gives a released image: its record and its containers by digest.
func (j *job) released(ctx context.Context, pin asset.Pin, file string) (*record.Record, *image.Image, error) {
	rec, err := j.find(ctx, pin.Asset, pin.Version)
	if err != nil {
		return nil, nil, err
	}
	if rec == nil {
		return nil, nil, &diag.Error{Kind: diag.Invalid, File: file, Err: fmt.Errorf("%s is not released in %s", pin, j.Registry.Prefix()), Fix: fmt.Sprintf("release it first, with the tag %s, or name a released version", pin.Tag())}
	}
	if rec.Kind != asset.Image {
		return nil, nil, diag.Invalidf(file, 0, "name a generic IOC image", "%s is a %s, not an image", pin, rec.Kind)
	}
	return rec, j.pulled(rec), nil
}

// pulled returns the image of a record as the registry has it.
func (j *job) pulled(rec *record.Record) *image.Image {
	developer, runtime := rec.Image(asset.Developer).Pinned(), rec.Image(asset.Runtime).Pinned()
	return image.Released(j.Client, string(developer), string(runtime), string(rec.Parents.Root))
}

// parentOf returns a released image as a parent, by its image of a target.
func parentOf(rec *record.Record, target asset.Target) record.Parent {
	a := rec.Image(target)
	return record.Parent{Asset: rec.Asset, Version: rec.Version, Ref: a.Pinned(), Digest: a.Digest}
}

// readFolder reads a flat folder of the tree by file name.
func readFolder(files fs.FS, dir string) (map[string][]byte, error) {
	entries, err := fs.ReadDir(files, dir)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", dir, err)
	}
	all := map[string][]byte{}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		if all[e.Name()], err = fs.ReadFile(files, path.Join(dir, e.Name())); err != nil {
			return nil, err
		}
	}
	return all, nil
}
