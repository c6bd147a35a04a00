package release

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/check"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
	"github.com/tagline-ci/tagline/pipelines/settings"
	"github.com/tagline-ci/tagline/pipelines/source"
	"github.com/tagline-ci/tagline/pipelines/step"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// CheckTree reads a whole tree at a revision, and refuses all that a release of
// anything in it would refuse before it builds: faults of files, parents and
// generic IOCs that are not released or lack what they are used for, and names
// that belong to another repository. It needs no engine. With inTree no release
// is asked for: what is built on what is checked in the tree alone.
func (p Pipeline) CheckTree(ctx context.Context, rev string, inTree bool) (check.Summary, error) {
	commit, err := p.Repo.Resolve(rev)
	if err != nil {
		return check.Summary{}, err
	}
	files, err := p.Repo.At(commit)
	if err != nil {
		return check.Summary{}, err
	}
	read := check.Tree
	if inTree {
		read = check.Alone
	}
	site, errSite := settings.Read(files)
	sum, err := read(files)
	sum.Commit = commit
	if err := errors.Join(errSite, err, readLibraries(files)); err != nil || inTree {
		return sum, err
	}
	if p.Registry == nil {
		return sum, &diag.Error{
			Kind: diag.Invalid, Doing: "checking what is released",
			Err: errors.New("no registry is named, and a release would ask it"),
			Fix: "give --registry or TAGLINE_REGISTRY, or check the tree alone with --in-tree",
		}
	}
	_, err = p.library(ctx, files, site.Library)
	return sum, errors.Join(err, p.lineage().Check(ctx, files, p.Repo.Home()), p.reach(ctx, files))
}

// reach refuses sources of support modules that a build could not fetch.
func (p Pipeline) reach(ctx context.Context, files fs.FS) error {
	recipes, err := recipefile.Read(files)
	if err != nil {
		return err
	}
	names := slices.Sorted(maps.Keys(recipes.Images))
	locks, err := lockfile.Read(files, recipes, names...)
	if err != nil {
		return err
	}
	fetcher := source.Fetcher{Files: files, Mirrors: p.Mirrors, Logins: p.Logins}
	return step.Each(ctx, sideBySide, names, func(ctx context.Context, name asset.Name) error {
		var faults diag.Faults
		img := recipes.Images[name]
		for _, ref := range img.Modules {
			if mod := recipes.Modules[ref.Name]; mod.Git != "" {
				wanted := source.Wanted{Image: img, Ref: ref, Module: mod}
				faults.Add(fetcher.Reach(ctx, wanted, locks[name].Modules[ref.Name]))
			}
		}
		return faults.Err()
	})
}

// filesAt returns the files of a repository at a revision.
func filesAt(repo *tree.Repository, rev string) (fs.FS, error) {
	commit, err := repo.Resolve(rev)
	if err != nil {
		return nil, err
	}
	return repo.At(commit)
}
