package tree

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Tag is a git tag and the commit it stands for.
type Tag struct {
	Name    string    // without refs/tags/: "bl45p/2021.10.7"
	Commit  string    // 40 hex digits
	When    time.Time // when the commit was made
	Tagger  string    // "Name <mail>" of an annotated tag; empty for a lightweight one
	Message string    // of an annotated tag
}

// Tags returns the names of all tags, sorted by bytes.
func (r *Repository) Tags() ([]string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	refs, err := r.git.Tags()
	if err != nil {
		return nil, fmt.Errorf("listing tags of %s: %w", r.dir, err)
	}
	var names []string
	err = refs.ForEach(func(ref *plumbing.Reference) error {
		names = append(names, ref.Name().Short())
		return nil
	})
	slices.Sort(names)
	return names, err
}

// Tag reads one tag by its name.
func (r *Repository) Tag(name string) (Tag, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ref, err := r.git.Tag(name)
	if err != nil {
		return Tag{}, &diag.Error{
			Kind: diag.Invalid, Doing: "reading tag", Asset: name, Err: errors.New("no such tag in this repository"),
			Fix: "make it with git tag " + name + ", or fetch it with git fetch --tags",
		}
	}
	c, err := r.peel(ref.Hash())
	if err != nil {
		return Tag{}, &diag.Error{
			Kind: diag.Invalid, Doing: "reading tag", Asset: name, Err: err, Fix: "tag a commit, and fetch it",
		}
	}
	t := Tag{Name: name, Commit: c.Hash.String(), When: c.Committer.When}
	if a, err := r.git.TagObject(ref.Hash()); err == nil {
		t.Tagger = fmt.Sprintf("%s <%s>", a.Tagger.Name, a.Tagger.Email)
		t.Message = strings.TrimSpace(a.Message)
	}
	return t, nil
}

// History returns all tags of commits, oldest commit first, then by name. Tags
// of other things, or of commits that were not fetched, are left out.
func (r *Repository) History() ([]Tag, error) {
	names, err := r.Tags()
	if err != nil {
		return nil, err
	}
	var tags []Tag
	for _, n := range names {
		if t, err := r.Tag(n); err == nil {
			tags = append(tags, t)
		}
	}
	slices.SortStableFunc(tags, func(a, b Tag) int { return a.When.Compare(b.When) })
	return tags, nil
}

// Changed returns the paths that differ between two revisions, sorted: added,
// removed, with other content or mode. A renamed file is there under both
// names.
func (r *Repository) Changed(from, to string) ([]string, error) {
	var roots [2]node
	for i, rev := range []string{from, to} {
		f, err := r.files(rev)
		if err != nil {
			return nil, err
		}
		roots[i] = f.root
	}
	var paths []string
	if err := r.differ("", roots[0], roots[1], &paths); err != nil {
		return nil, &diag.Error{Kind: diag.Broken, Doing: "comparing " + from + " with", Asset: to, Err: err, Fix: lost}
	}
	slices.Sort(paths)
	return slices.Compact(paths), nil
}

// differ adds the paths that differ below name, which is one node in one tree and
// another, or the zero node, in the other. It reads folders as everything here does, and
// so each of them once; go-git's own comparison reads them for itself.
func (r *Repository) differ(name string, a, b node, paths *[]string) error {
	if a.hash == b.hash && a.mode == b.mode {
		return nil
	}
	below := map[string][2]node{}
	for i, n := range [2]node{a, b} {
		switch {
		case n.mode == filemode.Dir:
			entries, err := r.entries(n.hash)
			if err != nil {
				return err
			}
			for _, e := range entries {
				both := below[e.Name]
				both[i] = node{e.Name, e.Mode, e.Hash}
				below[e.Name] = both
			}
		case n.name != "":
			*paths = append(*paths, name)
		}
	}
	for base, both := range below {
		if err := r.differ(path.Join(name, base), both[0], both[1], paths); err != nil {
			return err
		}
	}
	return nil
}

// Hash returns git's hash, 40 hex digits, of the file or folder name at a
// revision; "." is the whole tree. It differs as soon as anything in it does.
func (r *Repository) Hash(rev, name string) (string, error) {
	f, err := r.files(rev)
	if err != nil {
		return "", err
	}
	n, err := f.find("hash", name, true)
	if err != nil {
		return "", err
	}
	return n.hash.String(), nil
}
