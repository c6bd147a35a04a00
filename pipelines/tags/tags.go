// Package tags checks, orders and proposes the git tags of a repository.
package tags

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/plan"
	"github.com/tagline-ci/tagline/pipelines/tree"
	"github.com/tagline-ci/tagline/pipelines/version"
)

// Set is a list of git tags and the repository that knows their assets and dates.
type Set struct {
	names  []string
	repo   *tree.Repository        // nil when there is none
	assets map[string]asset.Assets // by commit
}

// New returns the named tags, with or without "refs/tags/". They need not exist.
// repo may be nil: then only the tags' own text can be checked.
func New(repo *tree.Repository, names []string) *Set {
	s := &Set{repo: repo, assets: map[string]asset.Assets{}}
	for _, name := range names {
		s.names = append(s.names, strings.TrimPrefix(name, "refs/tags/"))
	}
	return s
}

// All returns every tag of a repository.
func All(repo *tree.Repository) (*Set, error) {
	names, err := repo.Tags()
	return New(repo, names), err
}

// Names returns the tags in the order they were given, without "refs/tags/".
func (s *Set) Names() []string { return slices.Clone(s.names) }

// Check reads one tag against the tree that it names: the tree at the tag, or
// at HEAD when the tag doesn't exist yet. kind is the expected kind of asset and
// may be empty; a bare version that several assets could have needs it, and so
// does every tag without a repository. What could not be released is refused
// (diag.Invalid).
func (s *Set) Check(name string, kind asset.Kind) (asset.Tag, asset.Kind, error) {
	assets, err := s.assetsAt(name)
	if err != nil {
		return asset.Tag{}, "", err
	}
	bare := !strings.Contains(name, "/")
	if kind != "" && (assets == nil || bare && len(assets) != 1) {
		tag, err := kind.ParseTag(name)
		return tag, kind, err
	}
	if assets == nil && !bare {
		return asset.Tag{}, "", &diag.Error{Kind: diag.Invalid, Version: name,
			Err: errors.New("nothing says what kind of asset this is"), Fix: "name the kind: image, chart or beamline"}
	}
	tag, err := assets.Resolve(name)
	own := assets[tag.Asset]
	if kind != "" && own != "" && own != kind {
		err = &diag.Error{
			Kind:    diag.Invalid,
			Version: name,
			Err: fmt.Errorf(
				"%s is of kind %s, not %s",
				tag.Asset,
				own,
				kind,
			),
			Fix: "leave the kind away, or tag another asset",
		}
	}
	return tag, own, err
}

// CheckAt reads one tag as Check does, against the tree at a revision where one is named.
func (s *Set) CheckAt(rev, name string) (asset.Tag, asset.Kind, error) {
	if rev == "" {
		return s.Check(name, "")
	}
	files, err := s.repo.At(rev)
	if err != nil {
		return asset.Tag{}, "", err
	}
	assets, err := plan.Assets(files)
	if err != nil {
		return asset.Tag{}, "", err
	}
	tag, err := assets.Resolve(name)
	return tag, assets[tag.Asset], err
}

// Released reads the tag of a release. A whole tag needs no repository; a bare
// version is that of the only asset which the repository has at that tag.
func Released(open func() (*tree.Repository, error), tag string) (asset.Tag, error) {
	if strings.Contains(tag, "/") {
		return asset.ParseTag(tag)
	}
	repo, err := open()
	if err != nil {
		repo = nil
	}
	assets, err := New(repo, nil).assetsAt(tag)
	if err != nil {
		return asset.Tag{}, err
	}
	return assets.Resolve(tag)
}

// assetsAt returns the assets of the tree at a tag, or at HEAD when there is no
// such tag; nil without a repository or a commit.
func (s *Set) assetsAt(tag string) (asset.Assets, error) {
	if s.repo == nil {
		return nil, nil
	}
	commit, err := s.repo.Resolve("refs/tags/" + tag)
	if err != nil {
		if commit, err = s.repo.Head(); err != nil {
			return nil, nil // nothing was committed yet
		}
	}
	if known, ok := s.assets[commit]; ok {
		return known, nil
	}
	files, err := s.repo.At(commit)
	if err != nil {
		return nil, err
	}
	s.assets[commit], err = plan.Assets(files)
	return s.assets[commit], err
}

// dated returns a version with the time of its tag's commit, if there is one.
func (s *Set) dated(name string, v asset.Version) version.Dated {
	d := version.Dated{Version: v}
	if s.repo != nil {
		if tag, err := s.repo.Tag(name); err == nil {
			d.When = tag.When
		}
	}
	return d
}

// Sort returns the tags in order, oldest version first, asset by asset. The
// error holds a fault for each tag that can't be read, and for each asset whose
// versions have no order; those are left out.
func (s *Set) Sort() ([]string, error) {
	versions := map[string][]version.Dated{} // by what stands before the version: "bl01t/" or nothing
	prefixes := []string{}
	var faults []error
	for _, name := range s.names {
		prefix, v, err := split(name)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		if _, ok := versions[prefix]; !ok {
			prefixes = append(prefixes, prefix)
		}
		versions[prefix] = append(versions[prefix], s.dated(name, v))
	}
	slices.Sort(prefixes)
	sorted := []string{}
	for _, prefix := range prefixes {
		if err := version.Sort(versions[prefix]); err != nil {
			faults = append(faults, err)
			continue
		}
		for _, d := range versions[prefix] {
			sorted = append(sorted, prefix+d.Version.String())
		}
	}
	return sorted, errors.Join(faults...)
}

// split cuts a tag or a bare version before its version.
func split(name string) (prefix string, v asset.Version, err error) {
	i := strings.LastIndex(name, "/") + 1
	v, err = asset.ParseVersion(name[i:])
	if err == nil && i > 0 {
		_, err = asset.ParseTag(name)
	}
	return name[:i], v, err
}

// Next proposes an asset's next tag: a bare version where its tags are bare
// already. It refuses (diag.Invalid) an asset that the tree at HEAD doesn't have.
func (s *Set) Next(name asset.Name, now time.Time) (string, error) {
	assets, err := s.assetsAt("")
	if err != nil {
		return "", err
	}
	if len(assets) == 0 {
		return "", &diag.Error{
			Kind: diag.Invalid, Doing: "proposing a tag of", Asset: string(name),
			Err: errors.New("nothing is committed here that could be released"),
			Fix: "commit its folder in generic-iocs/, charts/ or beamlines/ first",
		}
	}
	kind, ok := assets[name]
	if !ok {
		_, err := assets.Resolve(string(name) + "/1.0.0")
		return "", err
	}
	var released []version.Dated
	bare := false
	for _, tag := range s.names {
		rest, whole := strings.CutPrefix(tag, string(name)+"/")
		if !whole && (len(assets) != 1 || strings.Contains(tag, "/")) {
			continue
		}
		if v, err := asset.ParseVersion(rest); err == nil {
			released = append(released, s.dated(tag, v))
			bare = bare || !whole
		}
	}
	v, err := version.Next(released, kind, now)
	if err != nil || bare {
		return v.String(), err
	}
	return asset.Tag{Asset: name, Version: v}.String(), nil
}
