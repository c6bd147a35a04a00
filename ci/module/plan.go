package main

import (
	"context"

	"github.com/tagline-ci/tagline/pipelines/plan"
	"github.com/tagline-ci/tagline/pipelines/release"
	"github.com/tagline-ci/tagline/pipelines/tags"
)

// Plan is what releasing a tag does.
type Plan struct {
	// The tag: "bl01t/2026.11.1".
	Tag string
	// What kind of asset it is of: "image", "library" or "beamline".
	Kind string
	// The commit whose tree was read, 40 hex digits.
	Commit string
	// What is done, in this order.
	Steps []*Step
}

// Step is one piece of work of a plan.
type Step struct {
	// "build", "test", "package" or "publish".
	Do string
	// What is built, tested, packaged or published: "chart bl01t-mo-ioc-01".
	What string
	// The file that asks for it, and with what.
	Why string
}

// Plan returns what releasing a tag would do. It needs no registry and builds nothing.
func (t *Tagline) Plan(
	ctx context.Context,
	// A tag of the repository: bl01t/2026.11.1
	tag string,
) (*Plan, error) {
	repo, err := t.repository(ctx)
	if err != nil {
		return nil, err
	}
	p, err := release.Plan(repo, "", tag)
	if err != nil {
		return nil, err
	}
	return planOf(p), nil
}

func planOf(p *plan.Plan) *Plan {
	steps := make([]*Step, len(p.Steps))
	for i, s := range p.Steps {
		steps[i] = &Step{Do: string(s.Do), What: s.What, Why: s.Why}
	}
	return &Plan{Tag: p.Tag.String(), Kind: string(p.Kind), Commit: p.Commit, Steps: steps}
}

// Tag is a tag that could be released.
type Tag struct {
	// The asset and the version that the tag names.
	Asset, Version string
	// What kind of asset it is: "image", "library" or "beamline".
	Kind string
	// The version as a tag in the registry.
	OciTag string
}

// TagCheck reads a tag, which need not exist, and refuses one that could not be
// released, with what to tag instead.
func (t *Tagline) TagCheck(
	ctx context.Context,
	// As it would be typed: bl01t/2026.11.2
	tag string,
	// The revision where the tag will be made; where it is, or HEAD, when left out.
	// +optional
	rev string,
) (*Tag, error) {
	repo, err := t.repository(ctx)
	if err != nil {
		return nil, err
	}
	named, kind, err := tags.New(repo, nil).CheckAt(rev, tag)
	if err != nil {
		return nil, err
	}
	return &Tag{Asset: string(named.Asset), Version: named.Version.String(), Kind: string(kind),
		OciTag: named.Version.OCITag()}, nil
}

// Tree reads every file of the repository's HEAD and reports each fault with its
// file and line. Where a registry is named, it also asks whether what the tree is
// built on and runs is released. It takes seconds.
//
// +check
func (t *Tagline) Tree(ctx context.Context) error {
	p, err := t.unconnected(ctx)
	if err != nil {
		return err
	}
	_, err = p.CheckTree(ctx, "HEAD", p.Registry == nil)
	return err
}
