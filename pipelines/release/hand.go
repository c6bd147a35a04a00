package release

import (
	"context"
	"errors"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/smoke"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// IOC describes the IOC of a generic IOC image of the tree at a revision, with
// the start-up script of its smoke test: the container that the test starts.
func (b Builder) IOC(
	ctx context.Context, repo *tree.Repository, rev string, name asset.Name,
) (*dagger.Container, error) {
	files, err := filesAt(repo, rev)
	if err != nil {
		return nil, err
	}
	recipes, _, err := recipefile.ReadAlone(files)
	if err != nil {
		return nil, err
	}
	img, ok := recipes.Images[name]
	if !ok {
		return nil, unknown(recipes, name)
	}
	if img.IOC == nil {
		return nil, &diag.Error{
			Kind: diag.Invalid, Doing: "starting the IOC of", Asset: string(name), File: img.File,
			Err: errors.New("the image has no IOC"), Fix: "name an image whose image.yaml has ioc",
		}
	}
	built, err := b.Image(ctx, repo, rev, name)
	if err != nil {
		return nil, err
	}
	j := &job{Pipeline: Pipeline{Builder: b}, files: files, rec: &record.Record{}, image: built}
	s, err := (&imageJob{job: j, img: img}).subject()
	if err != nil {
		return nil, err
	}
	return smoke.Tester{Client: b.Client}.Container(s), nil
}

// Instance describes an IOC instance of the tree at a revision as its pod runs
// it. With inTree its generic IOC is built from the tree; else it is the released
// one that the instance is pinned to.
func (p Pipeline) Instance(
	ctx context.Context, rev string, line asset.Name, name string, inTree bool,
) (*dagger.Container, error) {
	files, err := filesAt(p.Repo, rev)
	if err != nil {
		return nil, err
	}
	bl, err := beamline.Read(files, line)
	if err != nil {
		return nil, err
	}
	inst, err := bl.Instance(name)
	if err != nil {
		return nil, err
	}
	if inst.Service != "" {
		return nil, diag.Invalidf(
			inst.File, 0, "name an IOC", "%s is a service, and no IOC: its chart says what it runs", name,
		)
	}
	run, err := (&job{Pipeline: p, files: files, inTree: inTree}).ioc(ctx, inst.Image, inst.File)
	if err != nil {
		return nil, err
	}
	return smoke.Tester{Client: p.Client}.Container(subject(inst, run)), nil
}
