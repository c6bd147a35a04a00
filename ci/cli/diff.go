package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/diff"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// newDiff is `tagline diff`.
func newDiff(a *app) *cobra.Command {
	s := &site{}
	cmd := a.takes(&cobra.Command{
		Use:   "diff TAG TAG",
		Short: "Show what changes between two releases",
		Long: "Shows what changes from one release of an asset to another: images, sources of\n" +
			"support modules, start-up scripts, values, and the PVs that appear, disappear or\n" +
			"change their type. Both are read from their records and from the tree at their commits.",
		Example: "  tagline diff bl45p/2021.8.27 bl45p/2021.10.7",
		RunE: func(cmd *cobra.Command, given []string) error {
			repo, err := tree.Open(a.repo)
			if err != nil {
				return err
			}
			reg, err := a.openRegistry(cmd.Context(), s)
			if err != nil {
				return err
			}
			var sides [2]diff.Release
			for i, text := range given {
				t, err := a.released(text)
				if err != nil {
					return err
				}
				if sides[i], err = diff.Read(cmd.Context(), repo, reg, t); err != nil {
					return err
				}
			}
			d, err := diff.New(sides[0], sides[1])
			if err != nil {
				return err
			}
			return a.print(d, func(w io.Writer) error { writeDiff(w, d); return nil })
		},
	}, tagArg, tagArg)
	s.flags(cmd)
	return cmd
}

// writeDiff shows a difference as a person reads it.
func writeDiff(w io.Writer, d *diff.Diff) {
	fmt.Fprintf(w, "%s %s → %s\n", d.Asset, d.From, d.To)
	if d.Same() {
		fmt.Fprintln(w, "nothing differs")
	}
	writeDiffs(w, "", d.Beamline)
	writeDiffs(w, "image ", d.Parents)
	writeDiffs(w, "source ", d.Sources)
	writeFiles(w, "", d.Files)
	for _, i := range d.Instances {
		fmt.Fprintf(w, "instance %s %s\n", i.Name, i.State)
		if i.Image != nil {
			fmt.Fprintf(w, "  image %s → %s\n", or(i.Image.Old), or(i.Image.New))
		}
		if i.Boot != "" {
			fmt.Fprintf(w, "  boot: %s\n", i.Boot)
		}
		writeDiffs(w, "  ", i.Values)
		writeDiffs(w, "  chart: ", i.Needs)
		writeFiles(w, "  ", i.Files)
	}
	writeNotes(w, d.Notes)
	for _, pv := range d.PVs {
		switch {
		case pv.OldType == "":
			fmt.Fprintf(w, "PV %s (%s) appears in %s\n", pv.Name, pv.NewType, pv.NewIOC)
		case pv.NewType == "":
			fmt.Fprintf(w, "PV %s (%s) disappears from %s\n", pv.Name, pv.OldType, pv.OldIOC)
		case pv.OldType != pv.NewType:
			fmt.Fprintf(w, "PV %s changes from %s to %s in %s\n", pv.Name, pv.OldType, pv.NewType, pv.NewIOC)
		default:
			fmt.Fprintf(w, "PV %s (%s) moves from %s to %s\n", pv.Name, pv.NewType, pv.OldIOC, pv.NewIOC)
		}
	}
}

func writeNotes(w io.Writer, notes []diff.Note) {
	for _, n := range notes {
		fmt.Fprintf(w, "%s has a new note at its start: %s\n", n.Of, n.Text)
	}
}

func writeDiffs(w io.Writer, what string, list []diff.Change) {
	for _, c := range list {
		fmt.Fprintf(w, "%s%s: %s → %s\n", what, c.Name, or(c.Old), or(c.New))
	}
}

func writeFiles(w io.Writer, indent string, list []diff.File) {
	for _, f := range list {
		fmt.Fprintf(w, "%s%s %s\n", indent, f.Name, f.State)
		for _, l := range f.Lines {
			fmt.Fprintf(w, "%s  %s\n", indent, l)
		}
	}
}
