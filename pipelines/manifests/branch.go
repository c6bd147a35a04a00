package manifests

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/transport"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Branch is a folder of a branch of a git repository, from which a cluster is delivered.
type Branch struct {
	URL    string               // of the repository, without a password
	Name   string               // of the branch; empty for the repository's default one
	Folder string               // of the beamline, with slashes: "clusters/bl01t"
	Auth   transport.AuthMethod // nil for none, and for the agent of ssh
}

// Commit makes the folder of a branch hold the set, as Write does, in one commit that it
// pushes. It returns what changed and the commit, which is empty where nothing differs.
// The branch is never forced: when somebody pushes at the same time, Commit begins anew,
// three times at most. Git's own settings say who the author is. The error is of kind
// Invalid, and nothing was pushed, when a file is in the way, the branch is missing, or
// the author is not known.
func (s *Set) Commit(ctx context.Context, b Branch) (*Change, string, error) {
	if !filepath.IsLocal(filepath.FromSlash(b.Folder)) {
		return nil, "", b.invalid(s, "name a folder of the repository: clusters/bl01t",
			"%q is no folder of the repository", b.Folder)
	}
	for try := 1; ; try++ {
		done, commit, err := s.commit(ctx, b)
		if !errors.Is(err, git.ErrNonFastForwardUpdate) || try == 3 {
			return done, commit, err
		}
	}
}

// commit is one try of Commit.
func (s *Set) commit(ctx context.Context, b Branch) (*Change, string, error) {
	clone, err := os.MkdirTemp("", "tagline-render-")
	if err != nil {
		return nil, "", fmt.Errorf("making a folder for the clone: %w", err)
	}
	defer os.RemoveAll(clone)
	options := &git.CloneOptions{URL: b.URL, Auth: b.Auth, SingleBranch: true, Tags: git.NoTags}
	if b.Name != "" {
		options.ReferenceName = plumbing.NewBranchReferenceName(b.Name)
	}
	repo, err := git.PlainCloneContext(ctx, clone, false, options)
	if err != nil {
		return nil, "", b.unreached(s, "cloning", err)
	}
	tree, err := repo.Worktree()
	if err != nil {
		return nil, "", b.unreached(s, "cloning", err)
	}
	folder := filepath.Join(clone, filepath.FromSlash(b.Folder))
	if err := b.within(s, clone, folder); err != nil {
		return nil, "", err
	}
	done, err := s.Write(folder)
	if err != nil {
		return nil, "", err
	}
	if len(done.Written)+len(done.Removed) == 0 {
		return done, "", nil
	}
	for _, name := range append(done.Written, done.Removed...) {
		if _, err := tree.Add(filepath.ToSlash(filepath.Join(b.Folder, name))); err != nil {
			return nil, "", fmt.Errorf("adding %s to the commit: %w", name, err)
		}
	}
	message := fmt.Sprintf("Deliver %s %s\n\nRendered from record %s.\n", s.Beamline, s.Version, s.Record)
	commit, err := tree.Commit(message, &git.CommitOptions{})
	if errors.Is(err, git.ErrMissingAuthor) {
		return nil, "", b.invalid(s, "git config --global user.name and user.email; nothing was pushed", "%w", err)
	}
	if err != nil {
		return nil, "", fmt.Errorf("committing: %w", err)
	}
	head, err := repo.Head()
	if err != nil {
		return nil, "", fmt.Errorf("reading the branch: %w", err)
	}
	spec := config.RefSpec(head.Name() + ":" + head.Name())
	push := &git.PushOptions{Auth: b.Auth, RefSpecs: []config.RefSpec{spec}}
	if err := repo.PushContext(ctx, push); err != nil {
		return nil, "", b.unreached(s, "pushing to", err)
	}
	return done, commit.String(), nil
}

// within refuses a folder that links of the repository lead out of the clone.
func (b Branch) within(s *Set, clone, folder string) error {
	for dir := folder; dir != clone; dir = filepath.Dir(dir) {
		if info, err := os.Lstat(dir); err == nil && !info.IsDir() {
			return b.invalid(s, "name another folder", "%s is no folder there", b.Folder)
		}
	}
	return nil
}

// invalid returns the error of a branch that can't be rendered into.
func (b Branch) invalid(s *Set, fix, format string, args ...any) error {
	return &diag.Error{
		Kind: diag.Invalid, Doing: "rendering into " + b.URL, Asset: string(s.Beamline), Version: s.Version.String(),
		Err: fmt.Errorf(format, args...), Fix: fix,
	}
}

// unreached returns the error of a repository that did not do what it was asked. One
// that somebody pushed to meanwhile stays git.ErrNonFastForwardUpdate.
func (b Branch) unreached(s *Set, doing string, err error) error {
	if errors.Is(err, git.ErrNonFastForwardUpdate) || strings.Contains(err.Error(), "non-fast-forward update") {
		err = git.ErrNonFastForwardUpdate
	}
	if errors.Is(err, plumbing.ErrReferenceNotFound) || errors.Is(err, transport.ErrEmptyRemoteRepository) ||
		errors.As(err, new(git.NoMatchingRefSpecError)) {
		return b.invalid(s, "make the branch first: git push origin HEAD:"+b.Name, "it has no branch %s", b.Name)
	}
	return &diag.Error{
		Kind: diag.Broken, Doing: doing + " " + b.URL, Asset: string(s.Beamline), Version: s.Version.String(), Err: err,
		Fix: "see that git can do it there: a login is read from ~/.netrc or TAGLINE_NETRC; run it again",
	}
}
