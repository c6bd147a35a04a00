package cli

import (
	"io"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/tags"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// newTagHook is `tagline tag hook`.
func newTagHook(a *app) *cobra.Command {
	cmd := a.takes(&cobra.Command{
		Use:   "hook",
		Short: "Show the pre-push hook that refuses bad tags",
		Long: "Shows a pre-push hook for git: it checks the tags of a push and refuses it when one\n" +
			"of them could not be released. hook install puts it into the repository.",
		Example: "  tagline tag hook install",
		RunE: func(*cobra.Command, []string) error {
			return a.print(tags.Hook, func(w io.Writer) error { _, err := io.WriteString(w, tags.Hook); return err })
		},
	})
	cmd.AddCommand(a.takes(&cobra.Command{
		Use:   "install",
		Short: "Install the hook into this repository",
		Long: "Installs the hook into the folder that git takes this repository's hooks from. A\n" +
			"pre-push hook of another origin is left as it is, and this one refused.",
		Example: "  tagline tag hook install --repo ~/bl01t",
		RunE: func(*cobra.Command, []string) error {
			repo, err := tree.Open(a.repo)
			if err != nil {
				return err
			}
			file, err := tags.InstallHook(repo)
			if err != nil {
				return err
			}
			return a.print(file, func(w io.Writer) error { return writeLines(w, []string{file}) })
		},
	}))
	return cmd
}
