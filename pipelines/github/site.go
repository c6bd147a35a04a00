package github

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/plan"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// NameOf returns what GitHub calls the repository that a clone is of: "some-org/site". api
// is the address of the API of a server of one's own, on which it may be; empty for
// github.com. The error is of kind diag.Invalid for a clone of anything else.
func NameOf(repo *tree.Repository, api string) (string, error) {
	host, name, _ := strings.Cut(repo.Home(), "/")
	if host != "github.com" && api == "" || name == "" {
		err := fmt.Errorf("it was cloned from %q", repo.Origin())
		if repo.Origin() == "" {
			err = errors.New("it has no remote of the name origin")
		}
		return "", &diag.Error{
			Kind: diag.Invalid, Doing: "looking for the repository on GitHub", Err: err,
			Fix: "write owner/name in GITHUB_REPOSITORY, and the address of a server of your own in GITHUB_API_URL",
		}
	}
	return name, nil
}

// SiteOf returns what the tree at HEAD has that GitHub's settings must protect.
func SiteOf(repo *tree.Repository) (site Site, err error) {
	commit, err := repo.Head()
	if err != nil {
		return site, err
	}
	files, err := repo.At(commit)
	if err != nil {
		return site, err
	}
	assets, err := plan.Assets(files)
	if err != nil {
		return site, err
	}
	for _, name := range slices.Sorted(maps.Keys(assets)) {
		site.Tags = append(site.Tags, string(name)+"/1.0.0")
		if assets[name] == asset.Beamline {
			site.Beamlines = append(site.Beamlines, string(name))
		}
	}
	return site, nil
}

// Verdict returns the error of findings of which some are open. What is not known is no
// error: a token that may read everything is seldom lent.
func (r *Repository) Verdict(findings []Finding) error {
	count := 0
	for _, f := range findings {
		if f.State == Unset {
			count++
		}
	}
	if count == 0 {
		return nil
	}
	return &diag.Error{
		Kind: diag.Broken, Doing: "looking at the settings of", Asset: r.owner + "/" + r.name,
		Err: fmt.Errorf("%d of %d leave something open", count, len(findings)),
		Fix: "set them as it says above; docs/security.md has why",
	}
}
