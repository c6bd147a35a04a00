package main

import (
	"context"

	"dagger/tagline/internal/dagger"

	"github.com/tagline-ci/tagline/pipelines/newmodule"
	"github.com/tagline-ci/tagline/pipelines/release"
)

// ModuleAdd finds out what a support module needs and gives, from its source and its
// build, proves it with an IOC that boots, and returns its file as a change of the
// working copy. What nothing says is marked with TODO in the file.
//
// +cache="never"
func (t *Tagline) ModuleAdd(
	ctx context.Context,
	// URL of the git repository with its source.
	url string,
	// The git ref of it that is tried out.
	ref string,
	// The image that it is tried on: a release, or the name of an image of the tree.
	// What the generic IOCs of the tree are built on when left out.
	// +optional
	from string,
	// What it is called; the last part of the URL when left out.
	// +optional
	name string,
	// What other modules call it in configure/RELEASE.
	// +optional
	macro string,
	// Its licence as an SPDX expression.
	// +optional
	licence string,
	// Git submodules that are wanted.
	// +optional
	submodules []string,
	// Modules that it is built with, with a git ref where from has none: asyn=R4-45.
	// +optional
	needs []string,
	// Debian packages that it is built with.
	// +optional
	packages []string,
	// Lines for its configure/CONFIG_SITE.local.
	// +optional
	config []string,
	// Folders of it that are not built.
	// +optional
	skip []string,
	// Modules, packages, dbds and libraries that are found and do not belong to it.
	// +optional
	without []string,
) (*dagger.Changeset, error) {
	p, err := t.pipeline(ctx)
	if err != nil {
		return nil, err
	}
	files, err := t.working(ctx)
	if err != nil {
		return nil, err
	}
	made, err := p.NewModule(ctx, files, release.NewModule{
		URL: url, Ref: ref, From: from,
		Given: newmodule.Given{
			Name: name, Macro: macro, Licence: licence, Submodules: submodules, Needs: needs, Packages: packages,
			Config: config, Skip: skip, Without: without,
		},
	})
	if err != nil {
		return nil, err
	}
	return written(t.Work, made).Changes(t.Work), nil
}
