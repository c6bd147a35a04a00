package cli

import (
	"cmp"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/github"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// newDoctor is `tagline doctor`.
func newDoctor(a *app) *cobra.Command {
	return a.takes(&cobra.Command{
		Use:   "doctor",
		Short: "Look at what a site must set on GitHub",
		Long: "Reads from GitHub's API what Tagline relies on and can't set: rules for tags and the\n" +
			"default branch, an environment for each beamline, what workflows may do, and who may\n" +
			"use the runners. Says what is open, and where to set it; nothing is changed. The exit\n" +
			"status is 1 when something is open. What the token can't read is not known, and names\n" +
			"the permission that it lacks. The repository is $GITHUB_REPOSITORY, or the one that\n" +
			"this was cloned from; $GITHUB_TOKEN is one of its administrator, for reading;\n" +
			"$GITHUB_API_URL names a GitHub server of one's own.",
		Example: "  GITHUB_TOKEN=$(gh auth token) tagline doctor\n  tagline doctor --output json",
		RunE: func(cmd *cobra.Command, _ []string) error {
			repo, err := tree.Open(a.repo)
			if err != nil {
				return err
			}
			site, err := github.SiteOf(repo)
			if err != nil {
				return err
			}
			name, api := a.env("GITHUB_REPOSITORY"), a.env("GITHUB_API_URL")
			if name == "" {
				if name, err = github.NameOf(repo, api); err != nil {
					return err
				}
			}
			there, err := github.Open(cmp.Or(api, github.PublicAPI), name, a.env("GITHUB_TOKEN"))
			if err != nil {
				return err
			}
			findings, err := there.Doctor(cmd.Context(), site)
			if err != nil {
				return err
			}
			if err := a.print(findings, func(w io.Writer) error { return writeFindings(w, findings) }); err != nil {
				return err
			}
			return there.Verdict(findings)
		},
	})
}

// writeFindings shows findings, what is open first.
func writeFindings(w io.Writer, findings []github.Finding) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, state := range []github.State{github.Unset, github.Unknown, github.Set} {
		for _, f := range findings {
			if f.State != state {
				continue
			}
			text := f.Is
			if f.Want != "" {
				text += "; " + f.Want + " (" + f.Where + ")"
			}
			fmt.Fprintf(t, "%s\t%s\t%s\n", f.State, f.What, text)
		}
	}
	return t.Flush()
}
