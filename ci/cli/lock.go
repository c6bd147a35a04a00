package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/release"
)

// newLock is `tagline lock`.
func newLock(a *app) *cobra.Command {
	s := &site{}
	check := false
	cmd := a.takes(&cobra.Command{
		Use:   "lock [ASSET…]",
		Short: "Pin what recipes and services name: commits, images' digests, package versions",
		Long: "Finds what the names in the recipes of the working copy stand for now, and writes it\n" +
			"beside each image.yaml: the commit of every support module and of its submodules, the\n" +
			"base image's digest, the version of every Debian package. Likewise the digests of the\n" +
			"images that a beamline's services name by tag, beside its beamline.yaml. Commit these\n" +
			"files: a release refuses a pin that is missing or has moved. Without names: all images\n" +
			"and beamlines. With --check nothing is written, and what moved or is newer is listed.",
		Example: "  tagline lock ioc-motorsim\n  tagline lock bl45p\n  tagline lock --check",
		RunE:    func(cmd *cobra.Command, given []string) error { return a.lock(cmd.Context(), s, check, given) },
	}, lockedArg.orMore())
	s.buildFlags(cmd)
	cmd.Flags().BoolVar(&check, "check", false, "list pins that moved and newer versions; write nothing")
	return cmd
}

// lock locks images and beamlines of the working copy, or lists what moved.
func (a *app) lock(ctx context.Context, s *site, check bool, assets []string) error {
	root, err := a.workTree()
	if err != nil {
		return err
	}
	names := make([]asset.Name, len(assets))
	for i, name := range assets {
		names[i] = asset.Name(name) // whatever it is: the tree has none of a name that is none
	}
	what, err := release.ReadLocking(os.DirFS(root), names...)
	if err != nil {
		return err
	}
	return a.builder(ctx, s, func(ctx context.Context, b release.Builder) error {
		if check {
			drifts, err := b.Drifts(ctx, what)
			if err != nil {
				return err
			}
			return a.print(drifts, func(w io.Writer) error { return writeDrifts(w, drifts) })
		}
		locks, err := b.Lock(ctx, what)
		if err != nil {
			return err
		}
		written, err := release.WriteLocks(root, locks)
		if err != nil {
			return err
		}
		return a.print(append([]string{}, written...), func(w io.Writer) error { return writeLines(w, written) })
	})
}

// writeDrifts shows what moved and what is newer.
func writeDrifts(w io.Writer, drifts []lockfile.Drift) error {
	if len(drifts) == 0 {
		_, err := fmt.Fprintln(w, "every pin is what its name stands for, and nothing is newer")
		return err
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "ASSET\tPIN\tLOCKED\tNOW")
	for _, d := range drifts {
		fmt.Fprintf(t, "%s\t%s\t%.60s\t%.60s\n", d.Image, d.Pin, d.Locked, d.Now)
	}
	return t.Flush()
}
