package release

import (
	"context"
	"errors"

	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/check"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/settings"
)

// CheckTree reads a whole tree at a revision, and refuses all that a release of
// anything in it would refuse before it builds: faults of files, parents and
// generic IOCs that are not released or lack what they are used for, and names
// that belong to another repository. It needs no engine. With inTree no release
// is asked for: what is built on what is checked in the tree alone.
func (p Pipeline) CheckTree(ctx context.Context, rev string, inTree bool) (check.Summary, error) {
	commit, err := p.Repo.Resolve(rev)
	if err != nil {
		return check.Summary{}, &diag.Error{Kind: diag.Invalid, Doing: "reading revision " + rev, Err: err}
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
	_, errLibrary := chart.LibraryOf(files)
	sum, err := read(files)
	sum.Commit = commit
	if err := errors.Join(errSite, err, errLibrary); err != nil || inTree {
		return sum, err
	}
	if p.Registry == nil {
		return sum, &diag.Error{
			Kind: diag.Invalid, Doing: "checking what is released", Err: errors.New("no registry is named, and a release would ask it"),
			Fix: "give --registry or TAGLINE_REGISTRY, or check the tree alone with --in-tree",
		}
	}
	_, err = p.library(ctx, files, site.Library)
	return sum, errors.Join(err, p.lineage().Check(ctx, files, p.Repo.Home()))
}
