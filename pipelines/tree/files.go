package tree

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// maxLinks is how many symbolic links one path may go through; more is a loop.
const maxLinks = 8

// files is the tree of one commit as an fs.FS. Every file is as old as the
// commit, so that archives made from it don't depend on a clock.
type files struct {
	repo *Repository
	root node
	when time.Time
}

// node is one entry of a tree.
type node struct {
	name string
	mode filemode.FileMode
	hash plumbing.Hash
}

// At returns the files at a revision as they were committed. It is an
// fs.ReadFileFS, fs.ReadDirFS, fs.StatFS and fs.ReadLinkFS. Executables have
// mode 0755, others 0644. Open, Stat and ReadFile follow symbolic links inside
// the tree; a link that leaves the tree and a file of a git submodule are
// refused with a diag.Invalid inside the *fs.PathError.
func (r *Repository) At(commit string) (fs.FS, error) {
	f, err := r.files(commit)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (r *Repository) files(rev string) (*files, error) {
	commit, err := r.Resolve(rev)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.git.CommitObject(plumbing.NewHash(commit))
	if err != nil {
		return nil, fmt.Errorf("reading commit %s: %w", commit, err)
	}
	return &files{repo: r, root: node{name: ".", mode: filemode.Dir, hash: c.TreeHash}, when: c.Committer.When}, nil
}

// find walks to name. Links on the way are followed; the last one only if
// follow.
func (f *files) find(op, name string, follow bool) (node, error) {
	if !fs.ValidPath(name) {
		return node{}, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n, err := f.walk(strings.Split(name, "/"), follow)
	if err != nil {
		return node{}, &fs.PathError{Op: op, Path: name, Err: err}
	}
	n.name = path.Base(name)
	return n, nil
}

func (f *files) walk(todo []string, follow bool) (node, error) {
	above := make([]node, 1, len(todo)+1) // the folders gone through, for ".." in links
	above[0] = f.root
	links, via := 0, ""
	for len(todo) > 0 {
		part, here := todo[0], above[len(above)-1]
		todo = todo[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			if len(above) == 1 {
				return node{}, leaves(via)
			}
			above = above[:len(above)-1]
			continue
		}
		child, err := f.child(here, part)
		if err != nil {
			if via != "" {
				err = fmt.Errorf("symbolic link to %s: %w", via, err)
			}
			return node{}, err
		}
		if child.mode != filemode.Symlink || len(todo) == 0 && !follow {
			above = append(above, child)
			continue
		}
		if via, err = f.target(child); err != nil {
			return node{}, err
		}
		if links++; links > maxLinks {
			return node{}, &diag.Error{
				Kind: diag.Invalid, Err: fmt.Errorf("more than %d symbolic links, the last to %s", maxLinks, via),
				Fix: "commit the file itself instead of links in a circle",
			}
		}
		todo = append(strings.Split(via, "/"), todo...)
	}
	return above[len(above)-1], nil
}

func leaves(target string) error {
	return &diag.Error{
		Kind: diag.Invalid, Err: fmt.Errorf("symbolic link to %s leaves the repository", target),
		Fix: "commit the file itself instead of a link",
	}
}

// target reads where a link points to.
func (f *files) target(link node) (string, error) {
	b, err := f.repo.blob(link.hash)
	if err != nil {
		return "", err
	}
	if to := string(b); path.IsAbs(to) {
		return "", leaves(to)
	}
	return string(b), nil
}

// child finds the entry of a folder.
func (f *files) child(dir node, name string) (node, error) {
	if dir.mode == filemode.Submodule {
		return node{}, submodule(dir.name)
	}
	if dir.mode != filemode.Dir {
		return node{}, fs.ErrNotExist
	}
	entries, err := f.repo.entries(dir.hash)
	if err != nil {
		return node{}, err
	}
	i, ok := slices.BinarySearchFunc(
		entries, name, func(e object.TreeEntry, s string) int { return strings.Compare(e.Name, s) },
	)
	if !ok {
		return node{}, fs.ErrNotExist
	}
	return node{name, entries[i].Mode, entries[i].Hash}, nil
}

func submodule(name string) error {
	return &diag.Error{
		Kind: diag.Invalid, Err: fmt.Errorf("%s is a git submodule, whose files are not in this repository", name),
		Fix: "commit its files here, or name its git repository in a support module's file",
	}
}

// entries returns a folder's entries sorted by name. (Git sorts folders as if
// their names ended in a slash.)
func (r *Repository) entries(h plumbing.Hash) ([]object.TreeEntry, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if list, ok := r.dirs[h]; ok {
		return list, nil
	}
	t, err := object.GetTree(r.git.Storer, h)
	if err != nil {
		return nil, fmt.Errorf("reading git tree %s: %w", h, err)
	}
	list := slices.Clone(t.Entries)
	slices.SortFunc(list, func(a, b object.TreeEntry) int { return strings.Compare(a.Name, b.Name) })
	r.dirs[h] = list
	return list, nil
}

// blob reads a file's whole content.
func (r *Repository) blob(h plumbing.Hash) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o, err := object.GetBlob(r.git.Storer, h)
	if err != nil {
		return nil, fmt.Errorf("reading git blob %s: %w", h, err)
	}
	return readAll(o)
}
