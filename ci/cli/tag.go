package cli

import (
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/asset"
)

// newTag is `tagline tag`: checks, sorts and proposes tags before they are pushed.
func newTag(a *app) *cobra.Command {
	cmd := group(&cobra.Command{
		Use:   "tag",
		Short: "Check, sort and propose git tags",
		Long: "A git tag is <asset>/<version>, and what is released under it is what a beamline\n" +
			"runs for years. These commands read tags and touch nothing.",
		Example: "  tagline tag check bl01t/2026.11.2\n  tagline tag next bl01t\n  tagline tag hook install",
	})
	cmd.AddCommand(newTagCheck(a), newTagSort(a), newTagNext(a), newTagHook(a))
	return cmd
}

// kinds maps what people write for a kind of asset to the kind.
var kinds = map[string]asset.Kind{"": "", "image": asset.Image, "chart": asset.Library, "beamline": asset.Beamline}

// tagLine is the result of checking one tag.
type tagLine struct {
	Tag     string        `json:"tag"`
	OK      bool          `json:"ok"`
	Asset   asset.Name    `json:"asset,omitempty"`
	Version asset.Version `json:"version,omitzero"`
	Kind    asset.Kind    `json:"kind,omitempty"`
	OCI     string        `json:"ociTag,omitempty"` // of its images, charts and record
	// Chart is the version of its charts; empty when it is no SemVer, as an image's need not be.
	Chart string `json:"chartVersion,omitempty"`
	Error string `json:"error,omitempty"` // of a tag that is refused
	Fix   string `json:"fix,omitempty"`   // what to do about it
}

// newTagCheck is `tagline tag check`.
func newTagCheck(a *app) *cobra.Command {
	var kind string
	cmd := a.takes(&cobra.Command{
		Use:   "check [TAG…|-]",
		Short: "Tell which tags could be released, and mend those that could not",
		Long: "Shows a line for each tag: ok, asset, version, OCI tag, chart version. Tags that are\n" +
			"refused are on stderr, with what to tag instead, and the exit status is 2. - reads\n" +
			"tags from stdin, a line each; without tags all of the repository are checked. Assets\n" +
			"are those of the tree at the tag, or at HEAD for a tag that doesn't exist yet.",
		Example: "  tagline tag check bl01t/2026.11.2\n" +
			"  tagline tag check --kind beamline 2026.11.02\n" +
			"  git tag --list 'bl01t/*' | tagline tag check -",
		RunE: func(cmd *cobra.Command, given []string) error {
			k, ok := kinds[kind]
			if !ok {
				return usage(cmd, fmt.Errorf("--kind is image, chart or beamline, not %q", kind))
			}
			t, err := a.openTags(cmd.Context(), given)
			if err != nil {
				return err
			}
			names := t.Names()
			lines := make([]tagLine, len(names))
			faults := make([]error, len(names))
			for i, name := range names {
				lines[i], faults[i] = checkTag(t, name, k)
			}
			err = a.print(lines, func(w io.Writer) error { return writeTagLines(w, lines) })
			return errors.Join(append(faults, err)...)
		},
	}, tagArg.orMore())
	cmd.Flags().StringVar(&kind, "kind", "", "kind of asset that a bare version is of: image, chart or beamline")
	return cmd
}

func writeTagLines(w io.Writer, lines []tagLine) error {
	t := tabwriter.NewWriter(w, 0, 0, 1, ' ', 0)
	for _, l := range lines {
		if l.OK {
			fmt.Fprintf(t, "ok\t%s\t%s\t%s\t%s\n", or(string(l.Asset)), l.Version, l.OCI, or(l.Chart))
		}
	}
	return t.Flush()
}

// newTagSort is `tagline tag sort`.
func newTagSort(a *app) *cobra.Command {
	return a.takes(&cobra.Command{
		Use:   "sort [TAG…|-]",
		Short: "Order tags, oldest version first",
		Long: "Orders tags or bare versions as the field means them, asset by asset. Where an\n" +
			"asset changed its scheme of versions, the repository's history must say which came\n" +
			"first. - reads from stdin, a line each; without tags all of the repository are ordered.",
		Example: "  git tag --list 'ioc-pmac/*' | tagline tag sort -",
		RunE: func(cmd *cobra.Command, given []string) error {
			t, err := a.openTags(cmd.Context(), given)
			if err != nil {
				return err
			}
			sorted, err := t.Sort()
			if e := a.print(sorted, func(w io.Writer) error { return writeLines(w, sorted) }); e != nil {
				return e
			}
			return err
		},
	}, tagArg.orMore())
}

// newTagNext is `tagline tag next`.
func newTagNext(a *app) *cobra.Command {
	return a.takes(&cobra.Command{
		Use:   "next ASSET",
		Short: "Propose the next tag of an asset",
		Long: "Proposes the tag that follows those in the repository: today's date where calendar\n" +
			"versions are used, the release of the newest pre-release, else one more than the\n" +
			"latest. It makes no tag.",
		Example: "  git tag $(tagline tag next bl01t)",
		RunE: func(cmd *cobra.Command, given []string) error {
			t, err := a.openTags(cmd.Context(), nil)
			if err != nil {
				return err
			}
			next, err := t.Next(asset.Name(given[0]), time.Now()) // which refuses what is no name
			if err != nil {
				return err
			}
			return a.print(next, func(w io.Writer) error { return writeLines(w, []string{next}) })
		},
	}, assetArg)
}

func writeLines(w io.Writer, lines []string) error {
	for _, l := range lines {
		if _, err := fmt.Fprintln(w, l); err != nil {
			return err
		}
	}
	return nil
}
