package cli

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/plan"
	"github.com/tagline-ci/tagline/pipelines/tree"
	"github.com/tagline-ci/tagline/pipelines/version"
)

// tags are those that a command was given, with the repository they are in.
type tags struct {
	names  []string
	repo   *tree.Repository // nil when there is none and none is needed
	assets map[string]asset.Assets
}

// openTags gives the named tags, those on stdin for -, all of the repository
// for none. Those that are given need no repository.
func (a *app) openTags(given []string) (*tags, error) {
	t := &tags{assets: map[string]asset.Assets{}}
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
func (t *tags) of(tag string) (asset.Assets, error) {
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
func (a *app) released(tag string) (asset.Tag, error) {
	if strings.Contains(tag, "/") {
		return asset.ParseTag(tag)
	}
	t, err := a.openTags([]string{tag})
	if err != nil {
		return asset.Tag{}, err
	}
	assets, err := t.of(tag)
	if err != nil {
		return asset.Tag{}, err
	}
	return assets.Resolve(tag)
}

// check looks at one tag.
func (t *tags) check(name string, kind asset.Kind) (tagLine, error) {
	assets, err := t.of(name)
	if err == nil {
		var read asset.Tag
		if read, kind, err = resolve(name, kind, assets); err == nil {
			line := tagLine{Tag: name, OK: true, Asset: read.Asset, Version: read.Version, Kind: kind, OCI: read.Version.OCITag()}
			line.Chart, _ = read.Version.Chart()
			return line, nil
		}
	}
	line := tagLine{Tag: name, Error: err.Error()}
	var d *diag.Error
	if errors.As(err, &d) {
		line.Error, line.Fix = d.Err.Error(), d.Fix
	}
	return line, err
}

// resolve reads a tag of an asset of the tree, which must be of the kind that
// was asked for, if any. The kind alone judges a bare version that several assets
// could have, and every tag where there is no tree.
func resolve(name string, kind asset.Kind, assets asset.Assets) (asset.Tag, asset.Kind, error) {
	bare := !strings.Contains(name, "/")
	if kind != "" && (assets == nil || bare && len(assets) != 1) {
		read, err := kind.ParseTag(name)
		return read, kind, err
	}
	if assets == nil && !bare {
		return asset.Tag{}, "", &diag.Error{Kind: diag.Invalid, Version: name, Err: errors.New("nothing says what kind of asset this is"), Fix: "name the kind: image, chart or beamline"}
	}
	read, err := assets.Resolve(name)
	own := assets[read.Asset]
	if kind != "" && own != "" && own != kind {
		err = &diag.Error{Kind: diag.Invalid, Version: name, Err: fmt.Errorf("%s is of kind %s, not %s", read.Asset, own, kind), Fix: "leave the kind away, or tag another asset"}
	}
	return read, own, err
}

// dated gives a version with the time of its tag's commit, if there is one.
func (t *tags) dated(name string, v asset.Version) version.Dated {
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
		v, err := asset.ParseVersion(name[i:])
		if err == nil && i > 0 {
			_, err = asset.ParseTag(name)
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
func (t *tags) next(of string, now time.Time) (string, error) {
	assets, err := t.of("")
	if err != nil {
		return "", err
	}
	kind, ok := assets[asset.Name(of)]
	if !ok {
		_, err := assets.Resolve(of + "/1.0.0")
		return "", err
	}
	var list []version.Dated
	bare := false
	for _, name := range t.names {
		rest, ours := strings.CutPrefix(name, of+"/")
		if !ours && (len(assets) != 1 || strings.Contains(name, "/")) {
			continue
		}
		if v, err := asset.ParseVersion(rest); err == nil {
			list = append(list, t.dated(name, v))
			bare = bare || !ours
		}
	}
	v, err := version.Next(list, kind, now)
	if err != nil || bare {
		return v.String(), err
	}
	return asset.Tag{Asset: asset.Name(of), Version: v}.String(), nil
}
