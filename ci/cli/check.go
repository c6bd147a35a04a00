package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/release"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// newCheck is `tagline check`: everything that a release refuses, without one.
func newCheck(a *app) *cobra.Command {
	s := &site{}
	var rev string
	var inTree bool
	cmd := &cobra.Command{
		Use:     "check [TAG…]",
		Short:   "Read every file strictly; build and test what tags would release",
		Long:    "Without a tag: reads all recipes and beamlines of a revision and reports every\nfault with its file and line. With tags, which need not exist yet: also builds and\ntests what each would release. Nothing is published.",
		Example: "  tagline check\n  tagline check ioc-simstage/1.0.1 bl01t/2026.11.3",
		RunE: func(cmd *cobra.Command, given []string) error {
			if len(given) == 0 {
				return a.checkTree(rev)
			}
			var tests []record.Test
			err := a.pipeline(cmd.Context(), s, func(ctx context.Context, p release.Pipeline) error {
				var all []error
				for _, text := range given {
					done, err := p.Check(ctx, rev, text, inTree)
					tests = append(tests, done...)
					all = append(all, err)
				}
				return errors.Join(all...)
			})
			if len(tests) > 0 {
				if e := a.print(tests, func(w io.Writer) error { writeTests(w, tests); return nil }); e != nil {
					return e
				}
			}
			return err
		},
	}
	s.buildFlags(cmd)
	cmd.Flags().StringVar(&rev, "rev", "HEAD", "git revision to check")
	cmd.Flags().BoolVar(&inTree, "in-tree", false, "build what the images are built on, and what the instances run, from the tree, not from releases")
	return cmd
}

// checkTree reads the whole tree at a revision.
func (a *app) checkTree(rev string) error {
	repo, err := tree.Open(a.repo)
	if err != nil {
		return err
	}
	commit, err := repo.Resolve(rev)
	if err != nil {
		return &diag.Error{Kind: diag.Invalid, Doing: "reading revision " + rev, Err: err}
	}
	files, err := repo.At(commit)
	if err != nil {
		return err
	}
	recipes, err := recipe.Read(files)
	if err == nil {
		_, err = recipes.Locks(files, slices.Sorted(maps.Keys(recipes.Images))...)
	}
	names, errNames := beamline.Names(files)
	all := []error{err, errNames}
	instances := 0
	for _, name := range names {
		bl, err := beamline.Read(files, name)
		all = append(all, err)
		if err == nil {
			instances += len(bl.Instances)
		}
	}
	if err := errors.Join(all...); err != nil {
		return err
	}
	sum := struct {
		Commit    string `json:"commit"`
		Images    int    `json:"images"`
		Modules   int    `json:"modules"`
		Beamlines int    `json:"beamlines"`
		Instances int    `json:"instances"`
	}{commit, len(recipes.Images), len(recipes.Modules), len(names), instances}
	return a.print(sum, func(w io.Writer) error {
		_, err := fmt.Fprintf(w, "%.12s: %d images, %d support modules, %d beamlines with %d instances: no faults\n",
			commit, sum.Images, sum.Modules, sum.Beamlines, sum.Instances)
		return err
	})
}
