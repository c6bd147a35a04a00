package cli

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/release"
)

// newGenerate is `tagline generate`.
func newGenerate(a *app) *cobra.Command {
	s := &site{}
	inTree := false
	cmd := a.takes(&cobra.Command{
		Use:   "generate [BEAMLINE [INSTANCE…]]",
		Short: "Make the config folders that are generated from sources",
		Long: "Runs the command that `generate` of an instance or of its beamline names, in the\n" +
			"developer image, on the sources in the folder generate/ of the working copy, and puts\n" +
			"what it makes in place of config/. Commit both: check and release run it again, and\n" +
			"refuse a config folder that is anything else. Without names: all that have sources.",
		Example: "  tagline generate bl01t\n  tagline generate bl01t bl01t-mo-ioc-01",
		RunE: func(cmd *cobra.Command, given []string) error {
			return a.generate(cmd.Context(), s, inTree, given)
		},
	}, beamlineArg.orNone(), instanceArg.orMore())
	s.buildFlags(cmd)
	cmd.Flags().BoolVar(&inTree, "in-tree", false, "build the images that the commands run in from the tree")
	return cmd
}

// generate makes config folders of the working copy, and lists the files that changed.
func (a *app) generate(ctx context.Context, s *site, inTree bool, given []string) error {
	root, err := a.workTree()
	if err != nil {
		return err
	}
	lines, only, err := generated(os.DirFS(root), given)
	if err != nil {
		return err
	}
	changed := []string{}
	err = a.builder(ctx, s, func(ctx context.Context, b release.Builder) error {
		for _, line := range lines {
			made, err := b.Generate(ctx, os.DirFS(root), line, inTree, only...)
			if err != nil {
				return err
			}
			for _, folder := range slices.Sorted(maps.Keys(made)) {
				files, err := release.ReplaceFolder(root, folder, made[folder])
				changed = append(changed, files...)
				if err != nil {
					return err
				}
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return a.print(changed, func(w io.Writer) error {
		if len(changed) == 0 {
			fmt.Fprintln(w, "every generated config folder is what its generator makes")
		}
		for _, file := range changed {
			fmt.Fprintln(w, file)
		}
		return nil
	})
}

// generated returns the beamlines that a command line names, or all of the tree, and
// the instances of the one that is named.
func generated(files fs.FS, given []string) (lines []asset.Name, only []string, err error) {
	if len(given) > 0 {
		return []asset.Name{asset.Name(given[0])}, given[1:], nil // whatever it is: Read says what is no name
	}
	lines, err = beamline.Names(files)
	return lines, nil, err
}
