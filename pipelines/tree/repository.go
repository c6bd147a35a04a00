// Package tree reads a git repository as it was committed: tags, history, and
// the files at a commit. The working copy is never read, so that a release
// cannot hold what was not committed.
package tree

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/cache"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Repository is an opened git repository. Its methods, and the file systems it
// gives, may be used from many goroutines.
type Repository struct {
	dir  string // as it was opened, for messages
	git  *git.Repository
	mu   sync.Mutex // go-git's packed objects are read by one goroutine at a time
	dirs map[plumbing.Hash][]object.TreeEntry
}

// lost is the fix where git's own objects can't be read.
const lost = "see what git fsck says there, or clone the repository anew"

// Open opens the repository that dir belongs to: dir is a folder anywhere in a
// work tree, or a bare repository. The error is of kind diag.Invalid when there is
// none, or when dir is a file.
func Open(dir string) (*Repository, error) {
	if there, err := os.Stat(dir); err == nil && !there.IsDir() {
		return nil, &diag.Error{
			Kind: diag.Invalid, Doing: "opening", Asset: dir, Err: errors.New("it is a file"),
			Fix: "name a folder of the site's repository, as in " + filepath.Dir(dir),
		}
	}
	g, err := git.PlainOpenWithOptions(dir, &git.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true})
	if errors.Is(err, git.ErrRepositoryNotExists) {
		g, err = git.PlainOpen(dir) // a bare repository has no .git to detect
	}
	if errors.Is(err, git.ErrRepositoryNotExists) {
		return nil, &diag.Error{
			Kind: diag.Invalid, Doing: "opening", Asset: dir, Err: errors.New("no git repository here or above"),
			Fix: "name a folder of the site's repository",
		}
	}
	if err != nil {
		return nil, &diag.Error{Kind: diag.Broken, Doing: "opening git repository", Asset: dir, Err: err, Fix: lost}
	}
	if g, err = keepOpen(g); err != nil {
		return nil, &diag.Error{Kind: diag.Broken, Doing: "opening git repository", Asset: dir, Err: err, Fix: lost}
	}
	return &Repository{dir: dir, git: g, dirs: map[plumbing.Hash][]object.TreeEntry{}}, nil
}

// keepOpen lets go-git keep the files with packed objects open, which it opens
// anew for each object otherwise: most of the time that a site's plan takes.
func keepOpen(g *git.Repository) (*git.Repository, error) {
	s, ok := g.Storer.(*filesystem.Storage)
	if !ok {
		return g, nil
	}
	kept := filesystem.NewStorageWithOptions(
		s.Filesystem(), cache.NewObjectLRUDefault(), filesystem.Options{KeepDescriptors: true},
	)
	w, err := g.Worktree()
	if errors.Is(err, git.ErrIsBareRepository) {
		return git.Open(kept, nil)
	}
	if err != nil {
		return nil, err
	}
	return git.Open(kept, w.Filesystem)
}

// WorkTree returns the folder of the repository's working copy. A bare repository
// has none and is refused.
func (r *Repository) WorkTree() (string, error) {
	w, err := r.git.Worktree()
	if err != nil {
		return "", &diag.Error{
			Kind: diag.Invalid, Doing: "looking for the working copy of", Asset: r.dir, Err: err,
			Fix: "name a folder of a clone that has one",
		}
	}
	return w.Filesystem.Root(), nil
}

// Head returns the commit that is checked out, 40 hex digits.
func (r *Repository) Head() (string, error) { return r.Resolve("HEAD") }

// Resolve returns the commit, 40 hex digits, that rev stands for: a tag
// (lightweight, or annotated), a branch here or of origin, a whole ref
// (refs/tags/…), a hash whole or short, or what git calls a revision (HEAD~2).
// Like git, it takes a tag before a branch of the same name.
func (r *Repository) Resolve(rev string) (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h, err := r.named(rev)
	if err == nil {
		var c *object.Commit
		if c, err = r.peel(h); err == nil {
			return c.Hash.String(), nil
		}
	}
	return "", &diag.Error{
		Kind: diag.Invalid, Doing: "resolving revision", Asset: rev, Err: err,
		Fix: "fetch the repository's history and tags, or name another tag, branch or commit",
	}
}

// named finds what rev names, without looking what it is. Refs come first, so
// that a tag with signs that revisions use otherwise is found by its name.
func (r *Repository) named(rev string) (plumbing.Hash, error) {
	for _, where := range []string{"refs/tags/", "refs/heads/", "refs/remotes/", "refs/remotes/origin/", ""} {
		if where == "" && !strings.HasPrefix(rev, "refs/") {
			break
		}
		if rev == "HEAD" {
			break // what is checked out here, not what a clone keeps of its origin's HEAD
		}
		ref, err := r.git.Reference(plumbing.ReferenceName(where+rev), true)
		if err == nil {
			return ref.Hash(), nil
		}
	}
	h, err := r.git.ResolveRevision(plumbing.Revision(rev))
	if err != nil {
		return plumbing.ZeroHash, errors.New("no tag, branch or commit of this name")
	}
	return *h, nil
}

// peel returns the commit at h, through annotated tags and tags of tags.
func (r *Repository) peel(h plumbing.Hash) (*object.Commit, error) {
	for {
		tag, err := r.git.TagObject(h)
		if errors.Is(err, plumbing.ErrObjectNotFound) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("reading tag object %s: %w", h, err)
		}
		h = tag.Target
	}
	c, err := r.git.CommitObject(h)
	if errors.Is(err, plumbing.ErrObjectNotFound) {
		return nil, fmt.Errorf("%s is no commit, or one that was not fetched", h)
	}
	return c, err
}
