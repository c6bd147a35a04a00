package tree

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/storage/filesystem"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Hooks returns the folder that git runs this repository's hooks from: that of
// core.hooksPath where it is set, else hooks/ of the git folder, which all work
// trees share. The folder need not exist.
func (r *Repository) Hooks() (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	set, err := r.hooksPath()
	if err != nil {
		return "", &diag.Error{
			Kind: diag.Invalid, Doing: "reading git's configuration of", Asset: r.dir, Err: err,
			Fix: "set HOME to the folder that has your .gitconfig, and see what git config --list says",
		}
	}
	if filepath.IsAbs(set) {
		return set, nil
	}
	if set != "" {
		w, err := r.git.Worktree()
		if err != nil {
			return "", &diag.Error{
				Kind: diag.Invalid, Doing: "looking for the hooks of", Asset: r.dir,
				Err: fmt.Errorf("core.hooksPath is %s, and that begins at a working copy: %w", set, err),
				Fix: "name a clone that has one, or give core.hooksPath a whole path",
			}
		}
		return filepath.Join(w.Filesystem.Root(), set), nil
	}
	store, ok := r.git.Storer.(*filesystem.Storage)
	if !ok {
		return "", fmt.Errorf("%s is no repository on disk", r.dir)
	}
	hooks, err := store.Filesystem().Chroot("hooks")
	if err != nil {
		return "", fmt.Errorf("looking for the hooks of %s: %w", r.dir, err)
	}
	return hooks.Root(), nil
}

// hooksPath returns git's core.hooksPath, empty where it is not set: the repository's own
// goes over the person's, and that over the machine's. go-git's merged configuration has
// the repository's alone.
func (r *Repository) hooksPath() (string, error) {
	c, err := r.git.Config()
	for _, next := range []config.Scope{config.GlobalScope, config.SystemScope} {
		if err != nil || c.Raw.Section("core").HasOption("hooksPath") {
			break
		}
		c, err = config.LoadConfig(next)
	}
	if err != nil {
		return "", err
	}
	set := c.Raw.Section("core").Option("hooksPath")
	if below, ok := strings.CutPrefix(set, "~/"); ok {
		home, err := os.UserHomeDir()
		return filepath.Join(home, below), err
	}
	return set, nil
}
