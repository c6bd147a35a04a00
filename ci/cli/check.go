package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/diff"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/release"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// newCheck is `tagline check`: it refuses all that a release would refuse, and publishes nothing.
func newCheck(a *app) *cobra.Command {
	s := &site{}
	var rev string
	var inTree bool
	cmd := a.takes(&cobra.Command{
		Use:   "check [TAG…]",
		Short: "Read every file strictly; build and test what tags would release",
		Long: "Without a tag: reads all recipes and beamlines of a revision and reports every\n" +
			"fault with its file and line; asks the registry whether what they are built on and\n" +
			"run is released, and whose their names are. With tags, which need not exist yet:\n" +
			"builds and tests what each would release. Nothing is published. With --in-tree no\n" +
			"release is asked for: the images of the tree are built and run in their place, of\n" +
			"which a support module may be one that a release has built of the same.",
		Example: "  tagline check\n  tagline check ioc-simstage/1.0.1 bl01t/2026.11.3",
		RunE: func(cmd *cobra.Command, given []string) error {
			if len(given) == 0 {
				return a.checkTree(cmd.Context(), s, rev, inTree)
			}
			var tests []record.Test
			var notes []diff.Note
			err := a.pipeline(cmd.Context(), s, func(ctx context.Context, p release.Pipeline) error {
				var all []error
				for _, text := range given {
					done, err := p.Check(ctx, rev, text, inTree)
					tests = append(tests, done...)
					all = append(all, err)
					if fresh, err := p.NewNotes(ctx, rev, text, done); err == nil && !inTree {
						notes = append(notes, fresh...)
					}
				}
				return errors.Join(all...)
			})
			if len(tests) > 0 {
				if e := a.print(tests, func(w io.Writer) error {
					writeTests(w, tests)
					writeNotes(w, notes)
					return nil
				}); e != nil {
					return e
				}
			}
			return err
		},
	}, tagArg.orMore())
	s.buildFlags(cmd)
	s.allFlag(cmd)
	cmd.Flags().StringVar(&rev, "rev", "HEAD", "git revision to check")
	cmd.Flags().BoolVar(&inTree, "in-tree", false,
		"take what the images are built on, and what the instances run, from the tree, not from releases")
	return cmd
}

// checkTree reads the whole tree at a revision, and asks the registry what of it
// is released.
func (a *app) checkTree(ctx context.Context, s *site, rev string, inTree bool) error {
	repo, err := tree.Open(a.repo)
	if err != nil {
		return err
	}
	p := release.Pipeline{Repo: repo}
	if !inTree {
		if p.Registry, p.Trusted, err = a.releases(ctx, s); err != nil {
			return err
		}
		if p.Mirrors, err = a.sourceMirrors(s); err != nil {
			return err
		}
		if p.Logins, err = a.gitLogins(); err != nil {
			return err
		}
	}
	sum, err := p.CheckTree(ctx, rev, inTree)
	if err != nil {
		return err
	}
	return a.print(sum, func(w io.Writer) error {
		for _, line := range sum.Outside {
			fmt.Fprintln(w, line)
		}
		_, err := fmt.Fprintf(w, "%.12s: %d images, %d support modules, %d beamlines with %d instances: no faults\n",
			sum.Commit, sum.Images, sum.Modules, sum.Beamlines, sum.Instances)
		return err
	})
}
