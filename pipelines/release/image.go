package release

import (
	"context"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/step"
	"github.com/tagline-ci/tagline/pipelines/version"
)

// image builds and smoke-tests a generic IOC image.
func (j *job) image(ctx context.Context) (*made, error) {
	recipes, err := recipe.Read(j.files)
	if err != nil {
		return nil, err
	}
	img := recipes.Images[j.plan.Tag.Asset]
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
	rec.Parents = append(rec.Parents, base(built.Base))
	if j.publishes {
		if built, err = j.publishImage(ctx, img, built, rec); err != nil {
			return nil, err
		}
	}
	err = step.Run(ctx, "testing "+j.plan.Tag.String(), func(ctx context.Context) (err error) {
		rec.Checks, err = j.test(ctx, img, built, parent, artifact(rec, image.Runtime).Digest)
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
		return j.build(ctx, j.files, recipes, img.Parent.Asset)
	}
	released, parent, err := j.released(ctx, img.Parent, img.File)
	if err != nil {
		return nil, err
	}
	rec.Parents = append(rec.Parents, record.Parent{Asset: released.Asset, Version: released.Version, Ref: j.ref(released, image.Developer), Digest: artifact(released, image.Developer).Digest})
	return parent, nil
}

// publishImage pushes both targets by digest, where nobody sees them until
// sealing tags them, and gives the image as the registry has it: what is tested
// is what is published.
func (j *job) publishImage(ctx context.Context, img *recipe.Image, built *image.Image, rec *record.Record) (*image.Image, error) {
	v := j.plan.Tag.Version
	targets := []string{image.Developer, image.Runtime}
	artifacts := make([]record.Artifact, len(targets))
	err := step.Run(ctx, "publishing "+j.plan.Tag.String(), func(ctx context.Context) error {
		return step.Each(ctx, len(targets), []int{0, 1}, func(ctx context.Context, i int) error {
			name := img.Name + "-" + targets[i]
			digest, err := j.push(ctx, built.Target(targets[i]), name)
			if err != nil {
				return &diag.Error{Kind: diag.Broken, Doing: "publishing " + name, Asset: img.Name, Version: v.String(), Err: err}
			}
			artifacts[i] = record.Artifact{Name: name, Type: "image", Target: targets[i], Ref: j.Registry.Ref(name, v), Digest: digest}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	rec.Artifacts = sorted(artifacts)
	pulled := image.Released(j.Client, j.ref(rec, image.Developer), j.ref(rec, image.Runtime), built.Base)
	pulled.Sources = built.Sources
	return pulled, nil
}

// released gives a released image: its record and its containers by digest.
func (j *job) released(ctx context.Context, pin version.Pin, file string) (*record.Record, *image.Image, error) {
	rec, err := j.find(ctx, pin.Asset, pin.Version)
	if err != nil {
		return nil, nil, err
	}
	if rec == nil {
		return nil, nil, &diag.Error{Kind: diag.Invalid, File: file, Err: fmt.Errorf("%s is not released in %s", pin, j.Registry.Prefix()), Fix: fmt.Sprintf("release it first, with the tag %s/%s, or name a released version", pin.Asset, pin.Version)}
	}
	if rec.Kind != record.Image {
		return nil, nil, diag.Invalidf(file, 0, "name a generic IOC image", "%s is a %s, not an image", pin, rec.Kind)
	}
	root := rec.Parents[len(rec.Parents)-1].Ref
	return rec, image.Released(j.Client, j.ref(rec, image.Developer), j.ref(rec, image.Runtime), root), nil
}

// ref gives a record's target as "host/path@sha256:…".
func (j *job) ref(rec *record.Record, target string) string {
	a := artifact(rec, target)
	return j.address(a.Name, a.Digest)
}

// artifact gives a record's image of a target, empty when there is none.
func artifact(rec *record.Record, target string) record.Artifact {
	for _, a := range rec.Artifacts {
		if a.Target == target {
			return a
		}
	}
	return record.Artifact{}
}

// base is the hierarchy's root container image, always the last parent.
func base(ref string) record.Parent {
	name, digest, _ := strings.Cut(ref, "@")
	asset, tag := name, ""
	if i := strings.LastIndex(name, ":"); i > strings.LastIndex(name, "/") {
		asset, tag = name[:i], name[i+1:]
	}
	return record.Parent{Asset: asset, Version: tag, Ref: ref, Digest: digest}
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
