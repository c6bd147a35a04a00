package tree

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/config"
	"github.com/go-git/go-git/v5/storage/filesystem"
)

// Hooks returns the folder that git runs this repository's hooks from: that of
// core.hooksPath where it is set, else hooks/ of the git folder, which all work
// trees share. The folder need not exist.
func (r *Repository) Hooks() (string, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, err := r.git.ConfigScoped(config.SystemScope)
	if err != nil {
		return "", fmt.Errorf("reading git's configuration: %w", err)
	}
	if set := c.Raw.Section("core").Option("hooksPath"); set != "" {
		if below, ok := strings.CutPrefix(set, "~/"); ok { // as git reads a path
			home, err := os.UserHomeDir()
			if err != nil {
				return "", fmt.Errorf("core.hooksPath is %s: %w", set, err)
			}
			return filepath.Join(home, below), nil
		}
		if filepath.IsAbs(set) {
			return set, nil
		}
		w, err := r.git.Worktree()
		if err != nil {
			return "", fmt.Errorf("core.hooksPath is %s: %w", set, err)
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
