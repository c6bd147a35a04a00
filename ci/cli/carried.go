package cli

import (
	"os"
	"path/filepath"
	"time"

	"github.com/go-git/go-git/v5"

	"github.com/tagline-ci/tagline"
)

// carriedSince is the time of the first commit of a repository that is made of
// what tagline carries. It is fixed, so that the same tagline makes the same
// commit.
var carriedSince = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// demoScratch clones a repository that has the demonstration's beamline; where
// there is none, it makes one of the assets that this tagline carries.
func demoScratch(repo, parent string) (*scratch, error) {
	found, err := git.PlainOpenWithOptions(
		repo,
		&git.PlainOpenOptions{DetectDotGit: true, EnableDotGitCommonDir: true},
	)
	if err == nil {
		work, err := found.Worktree()
		if err != nil {
			return nil, err
		}
		if _, err := work.Filesystem.Stat("beamlines/" + demoLine); err == nil {
			return newScratch(repo, parent)
		}
	}
	return carriedScratch(parent)
}

// carriedScratch makes a repository of the assets that this tagline carries.
func carriedScratch(parent string) (*scratch, error) {
	s := &scratch{dir: filepath.Join(parent, "carried"), when: carriedSince}
	if err := os.RemoveAll(s.dir); err != nil {
		return nil, err
	}
	if err := os.CopyFS(s.dir, tagline.Assets); err != nil {
		return nil, err
	}
	var err error
	if s.repo, err = git.PlainInit(s.dir, false); err != nil {
		return nil, err
	}
	_, err = s.commit("Start with what tagline carries")
	return s, err
}
