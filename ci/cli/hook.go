package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// hook is git's pre-push hook: it gets a line for each pushed ref on stdin and
// stops the push by its exit status. A tag that is being deleted is not checked.
const hook = `#!/bin/sh
# Refuses a git tag that could not be released, before it leaves this machine.
# Made by: tagline tag hook install. To push past it: git push --no-verify.
while read -r local hash remote rest; do
	case $local:$remote in
	"(delete)":*) ;;
	*:refs/tags/*) echo "${remote#refs/tags/}" ;;
	esac
done | tagline tag check - >&2
`

// newTagHook is `tagline tag hook`.
func newTagHook(a *app) *cobra.Command {
	cmd := a.takes(&cobra.Command{
		Use:   "hook",
		Short: "Show the pre-push hook that refuses bad tags",
		Long: "Shows a pre-push hook for git: it checks the tags of a push and refuses it when one\n" +
			"of them could not be released. hook install puts it into the repository.",
		Example: "  tagline tag hook install",
		RunE: func(*cobra.Command, []string) error {
			return a.print(hook, func(w io.Writer) error { _, err := io.WriteString(w, hook); return err })
		},
	})
	cmd.AddCommand(a.takes(&cobra.Command{
		Use:   "install",
		Short: "Install the hook into this repository",
		Long: "Installs the hook into the folder that git takes this repository's hooks from. A\n" +
			"pre-push hook of another origin is left as it is, and this one refused.",
		Example: "  tagline tag hook install --repo ~/bl01t",
		RunE: func(*cobra.Command, []string) error {
			file, err := installHook(a.repo)
			if err != nil {
				return err
			}
			return a.print(file, func(w io.Writer) error { return writeLines(w, []string{file}) })
		},
	}))
	return cmd
}

// installHook writes the hook and returns its file.
func installHook(dir string) (string, error) {
	repo, err := tree.Open(dir)
	if err != nil {
		return "", err
	}
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
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("reading %s: %w", file, err)
	}
	if err := os.MkdirAll(hooks, 0o755); err != nil {
		return "", err
	}
	if err := os.WriteFile(file, []byte(hook), 0o755); err != nil {
		return "", err
	}
	return file, os.Chmod(file, 0o755)
}
