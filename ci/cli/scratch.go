package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// scratch is a clone in which a demonstration tags and commits: the
// repository itself is never written to.
type scratch struct {
	dir  string
	repo *git.Repository
	when time.Time
}

// newScratch clones a repository's HEAD below parent, in a folder named by the
// commit.
func newScratch(from, parent string) (*scratch, error) {
	source, err := git.PlainOpenWithOptions(
		from,
		&git.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true},
	)
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
	s := &scratch{when: commit.Committer.When, dir: filepath.Join(parent, commit.Hash.String()[:12])}
	if err := os.RemoveAll(s.dir); err != nil {
		return nil, err
	}
	if s.repo, err = git.PlainClone(
		s.dir,
		false,
		&git.CloneOptions{URL: tree.Filesystem.Root(), Tags: git.NoTags},
	); err != nil {
		return nil, fmt.Errorf("cloning %s: %w", from, err)
	}
	return s, nil
}

// change appends text to a file, commits and tags.
func (s *scratch) change(file, text, tag string) error {
	path := filepath.Join(s.dir, file)
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := os.WriteFile(path, append(content, text...), 0o644); err != nil {
		return err
	}
	_, err = s.commit("Change a start-up script", tag)
	return err
}

// commit commits every change, tags the commit and returns its hash. Its time is
// a second after the commit before, so that a second run makes the same commit.
func (s *scratch) commit(message string, tags ...string) (string, error) {
	tree, err := s.repo.Worktree()
	if err != nil {
		return "", err
	}
	if err := tree.AddWithOptions(&git.AddOptions{All: true}); err != nil {
		return "", err
	}
	s.when = s.when.Add(time.Second)
	author := &object.Signature{Name: "Controls Engineer", Email: "controls@example.org", When: s.when}
	hash, err := tree.Commit(message, &git.CommitOptions{Author: author, Committer: author})
	if err != nil {
		return "", err
	}
	return hash.String(), s.tag(tags...)
}

// tag tags the last commit.
func (s *scratch) tag(tags ...string) error {
	head, err := s.repo.Head()
	if err != nil {
		return err
	}
	for _, tag := range tags {
		if _, err := s.repo.CreateTag(tag, head.Hash(), nil); err != nil {
			return err
		}
	}
	return nil
}
