package cli

import (
	"cmp"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/github"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// newGitHubRelease is `tagline github-release`.
func newGitHubRelease(a *app) *cobra.Command {
	s := &site{}
	cmd := a.takes(&cobra.Command{
		Use:   "github-release TAG",
		Short: "Make the GitHub release of a released tag, with notes and the record",
		Long: "Makes the release page of a git tag on GitHub: notes that say what changes since the\n" +
			"release before, what to pull, how to promote and to go back; and the record attached.\n" +
			"A page that was begun is finished, one that is there is left alone; one that somebody\n" +
			"made by hand keeps its notes, and gets the record. $GITHUB_TOKEN must be able to write\n" +
			"contents of $GITHUB_REPOSITORY; $GITHUB_API_URL names a GitHub server of one's own.",
		Example: "  GITHUB_REPOSITORY=some-org/site tagline github-release bl01t/2026.11.2",
		RunE: func(cmd *cobra.Command, given []string) error {
			repo, err := tree.Open(a.repo)
			if err != nil {
				return err
			}
			repository, err := github.Open(
				cmp.Or(a.env("GITHUB_API_URL"), github.PublicAPI),
				a.env("GITHUB_REPOSITORY"),
				a.env("GITHUB_TOKEN"),
			)
			if err != nil {
				return err
			}
			reg, err := a.openRegistry(cmd.Context(), s)
			if err != nil {
				return err
			}
			page, err := github.Publisher{Repo: repo, Registry: reg, GitHub: repository}.Run(cmd.Context(), given[0])
			if err != nil {
				return err
			}
			return a.print(page, func(w io.Writer) error { _, err := fmt.Fprintln(w, page.URL); return err })
		},
	}, tagArg)
	s.flags(cmd)
	return cmd
}
