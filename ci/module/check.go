package main

import (
	"context"
	"errors"

	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/release"
)

// Report is what was tested, all of it with success: a test that fails is the
// error of the call.
type Report struct {
	// In the order of the record that a release would leave.
	Tests []*Test
}

// Test is one test of one thing.
type Test struct {
	// "smoke", "boot", "contents", …
	Name string
	// The image or IOC instance that was tested.
	Of string
	// What was seen to hold.
	Evidence []string
	// The PVs that the IOC serves.
	Pvs []string
}

// Check builds and tests what a tag, which need not exist, would release at a
// revision, and publishes nothing. Where it runs what was released before, it
// needs the registry.
func (t *Tagline) Check(
	ctx context.Context,
	// The tag: ioc-simstage/1.0.1
	tag string,
	// +default="HEAD"
	rev string,
	// Build what the image is built on, or what the instances run, from the tree.
	// +optional
	inTree bool,
	// Boot every IOC and build every support module of an image, also those that the release before
	// has tested or built with the same inputs, or a check has booted on this engine.
	// +optional
	all bool,
) (*Report, error) {
	p, err := t.pipeline(ctx)
	if err != nil {
		return nil, err
	}
	p.All = all
	tests, err := p.Check(ctx, rev, tag, inTree)
	if err != nil {
		return nil, err
	}
	return reportOf(tests), nil
}

func reportOf(tests []record.Test) *Report {
	r := &Report{Tests: make([]*Test, len(tests))}
	for i, t := range tests {
		r.Tests[i] = &Test{Name: t.Name, Of: t.Of, Evidence: t.Evidence}
		for _, pv := range t.PVs {
			r.Tests[i].Pvs = append(r.Tests[i].Pvs, pv.Name)
		}
	}
	return r
}

// unreleased is the version that a check of a change gives to what it builds.
const unreleased = "0.0.0"

// Change builds, from the tree, and tests every asset that a branch changes: each
// generic IOC is started and asked, each IOC instance booted. Nothing is published.
//
// +check
func (t *Tagline) Change(
	ctx context.Context,
	// The revision that the branch is to be merged into.
	// +default="origin/main"
	since string,
) (*Report, error) {
	p, err := t.pipeline(ctx)
	if err != nil {
		return nil, err
	}
	changes, err := release.Changes(p.Repo, since, "HEAD")
	if err != nil {
		return nil, err
	}
	report := &Report{Tests: []*Test{}}
	var faults []error
	for _, changed := range changes.Assets {
		tests, err := p.Check(ctx, "HEAD", string(changed.Asset)+"/"+unreleased, true)
		faults = append(faults, err)
		report.Tests = append(report.Tests, reportOf(tests).Tests...)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return report, nil
}
