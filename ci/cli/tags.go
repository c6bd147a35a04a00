package cli

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/plan"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/tree"
	"github.com/tagline-ci/tagline/pipelines/version"
)

// tags are those that a command was given, with the repository they are in.
type tags struct {
	names  []string
	repo   *tree.Repository // nil when there is none and none is needed
	assets map[string]map[string]record.Kind
}

// openTags gives the named tags, those on stdin for -, all of the repository
// for none. Those that are given need no repository.
func (a *app) openTags(given []string) (*tags, error) {
	t := &tags{assets: map[string]map[string]record.Kind{}}
	repo, err := tree.Open(a.repo)
	if err != nil && len(given) == 0 {
		return nil, err
	}
	if err == nil {
		t.repo = repo
	}
	switch {
	case len(given) == 0:
		t.names, err = repo.Tags()
	case len(given) == 1 && given[0] == "-":
		t.names, err = lines(a.In)
	default:
		t.names, err = given, nil
	}
	for i, n := range t.names {
		t.names[i] = strings.TrimPrefix(n, "refs/tags/")
	}
	return t, err
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

// of gives the assets of the tree at a tag, at HEAD when there is no such tag;
// nil without a repository or a commit.
func (t *tags) of(tag string) (map[string]record.Kind, error) {
	if t.repo == nil {
		return nil, nil
	}
	rev, err := t.repo.Resolve("refs/tags/" + tag)
	if err != nil {
		if rev, err = t.repo.Head(); err != nil {
			return nil, nil // nothing was committed yet
		}
	}
	if known, ok := t.assets[rev]; ok {
		return known, nil
	}
	files, err := t.repo.At(rev)
	if err != nil {
		return nil, err
	}
	t.assets[rev], err = plan.Assets(files)
	return t.assets[rev], err
}

// released reads the tag of a release. A bare version is of the only asset that
// the repository has at that tag; a whole tag needs no repository.
func (a *app) released(tag string) (version.Tag, error) {
	if strings.Contains(tag, "/") {
		return version.ParseTag(tag)
	}
	t, err := a.openTags([]string{tag})
	if err != nil {
		return version.Tag{}, err
	}
	assets, err := t.of(tag)
	if err != nil {
		return version.Tag{}, err
	}
	checked, err := version.CheckTag(tag, "", assets)
	return checked.Tag, err
}

// check looks at one tag.
func (t *tags) check(name string, kind record.Kind) (tagLine, error) {
	assets, err := t.of(name)
	if err == nil {
		var c version.Checked
		if c, err = version.CheckTag(name, kind, assets); err == nil {
			return tagLine{Tag: name, OK: true, Asset: c.Tag.Asset, Version: c.Tag.Version.String(), Checked: &c}, nil
		}
	}
	line := tagLine{Tag: name, Error: err.Error()}
	var d *diag.Error
	if errors.As(err, &d) {
		line.Error, line.Fix = d.Err.Error(), d.Fix
	}
	return line, err
}

// dated gives a version with the time of its tag's commit, if there is one.
func (t *tags) dated(name string, v version.Version) version.Dated {
	d := version.Dated{Version: v}
	if t.repo != nil {
		if tag, err := t.repo.Tag(name); err == nil {
			d.When = tag.When
		}
	}
	return d
}

// sorted gives the tags in order, and a fault for each that is none and for
// each asset whose versions have no order.
func (t *tags) sorted() ([]string, error) {
	prefixes := []string{}
	by := map[string][]version.Dated{}
	var faults []error
	for _, name := range t.names {
		i := strings.LastIndex(name, "/") + 1
		v, err := version.Parse(name[i:])
		if err == nil && i > 0 {
			_, err = version.ParseTag(name)
		}
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if _, ok := by[name[:i]]; !ok {
			prefixes = append(prefixes, name[:i])
		}
		by[name[:i]] = append(by[name[:i]], t.dated(name, v))
	}
	slices.Sort(prefixes)
	sorted := []string{}
	for _, prefix := range prefixes {
		if err := version.Sort(by[prefix]); err != nil {
			faults = append(faults, err)
			continue
		}
		for _, d := range by[prefix] {
			sorted = append(sorted, prefix+d.Version.String())
		}
	}
	return sorted, errors.Join(faults...)
}

// next proposes an asset's next tag: bare where its tags are so already.
func (t *tags) next(asset string, now time.Time) (string, error) {
	assets, err := t.of("")
	if err != nil {
		return "", err
	}
	kind, ok := assets[asset]
	if !ok {
		_, err := version.CheckTag(asset+"/1.0.0", "", assets)
		return "", err
	}
	var list []version.Dated
	bare := false
	for _, name := range t.names {
		rest, ours := strings.CutPrefix(name, asset+"/")
		if !ours && (len(assets) != 1 || strings.Contains(name, "/")) {
			continue
		}
		if v, err := version.Parse(rest); err == nil {
			list = append(list, t.dated(name, v))
			bare = bare || !ours
		}
	}
	v, err := version.Next(list, kind, now)
	if err != nil || bare {
		return v.String(), err
	}
	return version.Tag{Asset: asset, Version: v}.String(), nil
}
