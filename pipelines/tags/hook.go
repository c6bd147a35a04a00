package tags

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// Hook is git's pre-push hook: it gets a line for each pushed ref on stdin and
// stops the push by its exit status. A tag that is being deleted is not checked.
const Hook = `#!/bin/sh
# Refuses a git tag that could not be released, before it leaves this machine.
# Made by: tagline tag hook install. To push past it: git push --no-verify.
while read -r local hash remote rest; do
	case $local:$remote in
	"(delete)":*) ;;
	*:refs/tags/*) echo "${remote#refs/tags/}" ;;
	esac
done | tagline tag check - >&2
`

// InstallHook writes the hook to where git takes the repository's hooks from, and returns
// its file. A hook of another origin is left as it is (diag.Invalid).
func InstallHook(repo *tree.Repository) (string, error) {
	hooks, err := repo.Hooks()
	if err != nil {
		return "", err
	}
	file := filepath.Join(hooks, "pre-push")
	old, err := os.ReadFile(file)
	if err == nil && !bytes.Contains(old, []byte("tagline tag hook install")) {
		return "", &diag.Error{
			Kind:  diag.Invalid,
			Doing: "installing",
			Asset: file,
			Err:   errors.New("there is a pre-push hook already"),
			Fix:   "add the lines that tagline tag hook shows to it",
		}
	}
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		err = writeHook(file)
	}
	if err != nil {
		return "", &diag.Error{
			Kind: diag.Broken, Doing: "installing", Asset: file, Err: err,
			Fix: "make " + hooks + " a folder that you can write in",
		}
	}
	return file, nil
}

// writeHook writes the hook, as a program, whatever the file was before.
func writeHook(file string) error {
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(file, []byte(Hook), 0o755); err != nil {
		return err
	}
	return os.Chmod(file, 0o755)
}
