package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// scratch is a clone in which a demonstration tags and commits: the
// repository itself is never written to.
type scratch struct {
	dir    string
	commit string // HEAD of the repository that was cloned
	repo   *git.Repository
	when   time.Time
}

// newScratch clones a repository's HEAD below parent, in a folder named by the
// commit, and tags it.
func newScratch(from, parent string, tags ...string) (*scratch, error) {
	source, err := git.PlainOpenWithOptions(from, &git.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true})
	if err != nil {
		return nil, fmt.Errorf("opening the repository at %s: %w", from, err)
	}
	head, err := source.Head()
	if err != nil {
		return nil, err
	}
	commit, err := source.CommitObject(head.Hash())
	if err != nil {
		return nil, err
	}
	tree, err := source.Worktree()
	if err != nil {
		return nil, err
	}
	s := &scratch{commit: commit.Hash.String(), when: commit.Committer.When}
	s.dir = filepath.Join(parent, s.commit[:12])
	if err := os.RemoveAll(s.dir); err != nil {
		return nil, err
	}
	if s.repo, err = git.PlainClone(s.dir, false, &git.CloneOptions{URL: tree.Filesystem.Root(), Tags: git.NoTags}); err != nil {
		return nil, fmt.Errorf("cloning %s: %w", from, err)
	}
	for _, tag := range tags {
		if err := s.tag(tag, commit.Hash); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *scratch) tag(tag string, at plumbing.Hash) error {
	_, err := s.repo.CreateTag(tag, at, nil)
	return err
}

// change appends text to a file, commits and tags. The commit carries the
// time of the one before, so that a second run makes the same commit.
func (s *scratch) change(file, text, tag string) error {
	path := filepath.Join(s.dir, file)
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, append(content, text...), 0o644); err != nil {
		return err
	}
	tree, err := s.repo.Worktree()
	if err != nil {
		return err
	}
	if _, err := tree.Add(file); err != nil {
		return err
	}
	who := &object.Signature{Name: "Controls Engineer", Email: "controls@example.org", When: s.when.Add(time.Second)}
	hash, err := tree.Commit("Change a start-up script", &git.CommitOptions{Author: who, Committer: who})
	if err != nil {
		return err
	}
	return s.tag(tag, hash)
}
