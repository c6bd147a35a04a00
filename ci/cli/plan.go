package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/plan"
	"github.com/tagline-ci/tagline/pipelines/release"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// newPlan is `tagline plan`.
func newPlan(a *app) *cobra.Command {
	var since, rev, part string
	cmd := a.takes(&cobra.Command{
		Use:         "plan TAG | plan --since REV",
		Annotations: only("text", "json", "matrix"),
		Short:       "Show what a tag or a change asks for, and why",
		Long: "Shows what will be built, tested, packaged and published, each with the file that\n" +
			"asks for it. With a tag: all that its release does, from the tree at the tag. With\n" +
			"--since: what depends on the files changed between two revisions; nothing of that is\n" +
			"published before it is tagged. --output matrix gives one line of JSON for the matrix\n" +
			"of a GitHub Actions job, which takes 256 entries; --part gives several jobs a part\n" +
			"each. Nothing is touched.",
		Example: "  tagline plan bl01t/2026.11.2\n" +
			"  tagline plan --since origin/main\n" +
			"  tagline plan --since HEAD~1 --output matrix",
		RunE: func(cmd *cobra.Command, given []string) error {
			switch {
			case since != "" && len(given) > 0, since == "" && len(given) != 1:
				return usage(cmd, errors.New("give one tag, or --since and a revision"))
			case since != "":
				return a.planSince(since, rev, part)
			}
			return a.planTag(given[0], rev, part)
		},
	}, tagArg.orNone())
	cmd.Flags().StringVar(&since, "since", "", "plan what changed since this revision")
	cmd.Flags().StringVar(&rev, "rev", "",
		"revision to plan: for --since (default HEAD), or for a tag that doesn't exist yet")
	cmd.Flags().StringVar(&part, "part", "1/1", "of --output matrix, which part of how many: 2/3")
	return cmd
}

// matrix writes a part of a matrix.
func (a *app) matrix(m plan.Matrix, part string) error {
	m, err := m.Part(part)
	if err != nil {
		return err
	}
	return json.NewEncoder(a.Out).Encode(m)
}

func (a *app) planTag(name, rev, part string) error {
	repo, err := tree.Open(a.repo)
	if err != nil {
		return err
	}
	p, err := release.Plan(repo, rev, name)
	if err != nil {
		return err
	}
	if a.output == "matrix" {
		return a.matrix(p.Matrix(), part)
	}
	return a.print(p, func(w io.Writer) error { return writePlan(w, p) })
}

func writePlan(w io.Writer, p *plan.Plan) error {
	fmt.Fprintf(w, "%s (%s) at commit %.12s\n", p.Tag, p.Kind, p.Commit)
	if err := writeSteps(w, p.Steps); err != nil || p.Beamline == nil {
		return err
	}
	for _, inst := range p.Beamline.Instances {
		for _, need := range inst.Needs {
			fmt.Fprintf(w, "chart %s needs the policy's consent to: %s\n", inst.Name, need)
		}
	}
	return nil
}

func (a *app) planSince(since, rev, part string) error {
	repo, err := tree.Open(a.repo)
	if err != nil {
		return err
	}
	if rev == "" {
		rev = "HEAD"
	}
	c, err := release.Changes(repo, since, rev)
	if err != nil {
		return err
	}
	if a.output == "matrix" {
		return a.matrix(c.Matrix(), part)
	}
	return a.print(c, func(w io.Writer) error { return writeChanges(w, c) })
}

func writeChanges(w io.Writer, c *plan.Changes) error {
	fmt.Fprintf(w, "%.12s to %.12s: %d assets are affected\n", c.From, c.To, len(c.Assets))
	for _, r := range c.Removed {
		fmt.Fprintf(w, "%s (%s) is no longer in the tree\n", r.Asset, r.Kind)
	}
	for _, changed := range c.Assets {
		if changed.Kind == asset.Beamline {
			for _, why := range changed.Why {
				fmt.Fprintf(w, "beamline %s: %s\n", changed.Asset, why)
			}
		}
		for _, i := range changed.Removed {
			fmt.Fprintf(w, "instance %s of %s is no longer in the tree\n", i, changed.Asset)
		}
	}
	return writeSteps(w, c.Steps)
}

func writeSteps(w io.Writer, steps []plan.Step) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, s := range steps {
		fmt.Fprintf(t, "%s\t%s\t%s\n", s.Do, s.What, s.Why)
	}
	return t.Flush()
}
