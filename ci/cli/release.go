package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/release"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// newRelease is `tagline release`: the pipeline from a tag to a record.
func newRelease(a *app) *cobra.Command {
	s := &site{}
	cmd := a.takes(&cobra.Command{
		Use:   "release TAG",
		Short: "Build, test and publish what a git tag names",
		Long: "Builds, tests and publishes the asset that a git tag names, at the tag's version.\n" +
			"The record is published last: a release exists when its record does. A release that\n" +
			"was interrupted is finished by the same command; a finished one is never changed.\n" +
			"Who signs it must have signed what it is built on or runs, or be named by --policy.",
		Example: "  git tag bl01t/2026.11.2 && tagline release bl01t/2026.11.2",
		RunE: func(cmd *cobra.Command, given []string) error {
			if err := a.planned(given[0]); err != nil {
				return err
			}
			var rec *record.Record
			err := a.pipeline(cmd.Context(), s, func(ctx context.Context, p release.Pipeline) (err error) {
				rec, err = p.Run(ctx, given[0])
				return err
			})
			if err != nil {
				return err
			}
			return a.print(rec, func(w io.Writer) error { return writeRecord(w, rec) })
		},
	}, tagArg)
	s.buildFlags(cmd)
	s.allFlag(cmd)
	s.signing.flags(cmd)
	cmd.Flags().StringVar(&s.policy, "policy", "",
		"file of a beamline's policy, whose signers may have signed what this is built on or runs, beside who signs this")
	return cmd
}

// planned refuses a tag that cannot be released, before an engine is asked for.
func (a *app) planned(tag string) error {
	repo, err := tree.Open(a.repo)
	if err != nil {
		return err
	}
	_, err = release.Plan(repo, "", tag)
	return err
}

// writeRecord shows a record as a person reads it.
func writeRecord(w io.Writer, rec *record.Record) error {
	fmt.Fprintf(w, "%s %s (%s) from commit %.12s\n", rec.Asset, rec.Version, rec.Kind, rec.Commit)
	for _, p := range rec.Parents.Releases {
		fmt.Fprintf(w, "  on       %s %s %s\n", p.Asset, p.Version, p.Digest.Short())
	}
	if root := rec.Parents.Root; root != "" {
		fmt.Fprintf(w, "  on       %s %s %s\n", root.Repository(), root.Tag(), root.Digest().Short())
	}
	for _, src := range rec.Sources {
		by := ""
		if src.From != nil {
			by = ", built by " + src.From.Release.Version.String()
		}
		fmt.Fprintf(w, "  source   %s %s at %.12s%s\n", src.Module, src.Ref, src.Commit, by)
	}
	for _, art := range rec.Artifacts {
		fmt.Fprintf(w, "  %-8s %s %s\n", art.Type, art.Ref, art.Digest.Short())
	}
	for _, inst := range rec.Instances {
		fmt.Fprintf(w, "  instance %s runs %s\n", inst.Name, inst.Runs())
	}
	writeTests(w, rec.Checks)
	return nil
}

// writeTests shows the results of tests.
func writeTests(w io.Writer, tests []record.Test) {
	for _, t := range tests {
		verdict := "passed"
		if !t.Passed {
			verdict = "FAILED"
		}
		if t.From != nil {
			verdict += ", tested by " + t.From.Release.Version.String()
		}
		fmt.Fprintf(w, "  %s of %s %s\n", t.Name, t.Of, verdict)
		for _, e := range t.Evidence {
			fmt.Fprintf(w, "           %s\n", e)
		}
		for _, n := range t.Notes {
			fmt.Fprintf(w, "           note: %s\n", n)
		}
		writeSizes(w, t.Sizes)
	}
}

// writeSizes shows the size of each target, and what it consists of from 0.1 MB on.
func writeSizes(w io.Writer, sizes []record.Size) {
	for i, s := range sizes {
		if i == 0 || s.Target != sizes[i-1].Target {
			var whole int64
			for _, other := range sizes {
				if other.Target == s.Target {
					whole += other.Bytes
				}
			}
			fmt.Fprintf(w, "           %-9s %8.1f MB\n", s.Target, float64(whole)/1e6)
		}
		if s.Bytes >= 1e5 {
			fmt.Fprintf(w, "             %8.1f MB of %s\n", float64(s.Bytes)/1e6, s.Owner)
		}
	}
}
