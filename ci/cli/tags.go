package cli

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/tags"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// openTags returns the named tags, those on stdin for -, and all of the
// repository when none is named. Named ones need no repository.
func (a *app) openTags(ctx context.Context, given []string) (*tags.Set, error) {
	repo, err := tree.Open(a.repo)
	switch {
	case err != nil && len(given) == 0:
		return nil, err
	case err != nil:
		repo = nil
	case len(given) == 0:
		return tags.All(repo)
	}
	if len(given) == 1 && given[0] == "-" {
		if given, err = lines(a.stdin(ctx)); err != nil {
			return nil, err
		}
	}
	return tags.New(repo, given), nil
}

// lines reads all lines that are not empty.
func lines(r io.Reader) (list []string, err error) {
	s := bufio.NewScanner(r)
	for s.Scan() {
		if l := strings.TrimSpace(s.Text()); l != "" {
			list = append(list, l)
		}
	}
	return list, s.Err()
}

// released reads the tag of a release.
func (a *app) released(tag string) (asset.Tag, error) {
	return tags.Released(func() (*tree.Repository, error) { return tree.Open(a.repo) }, tag)
}

// checkTag reads one tag into the line that tag check shows of it.
func checkTag(t *tags.Set, name string, kind asset.Kind) (tagLine, error) {
	tag, kind, err := t.Check(name, kind)
	if err == nil {
		line := tagLine{
			Tag: name, OK: true, Asset: tag.Asset, Version: tag.Version, Kind: kind, OCI: tag.Version.OCITag(),
		}
		line.Chart, _ = tag.Version.Chart()
		return line, nil
	}
	line := tagLine{Tag: name, Error: err.Error()}
	var d *diag.Error
	if errors.As(err, &d) {
		line.Error, line.Fix = d.Err.Error(), d.Fix
	}
	return line, err
}
