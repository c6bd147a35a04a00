package cli

import (
	"fmt"
	"io"
	"regexp"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pvs"
)

// newFind is `tagline find`.
func newFind(a *app) *cobra.Command {
	b := &beamlineCluster{}
	cmd := a.takes(&cobra.Command{
		Use:   "find PV...",
		Short: "Show which IOC serves a PV",
		Long: "Shows which IOC of which beamline serves a PV, and what it says now. A PV is a name,\n" +
			"or a regular expression that the whole name must match. All beamlines that the\n" +
			"kubeconfig reaches are searched, in what the releases' tests saw; of more than fifty\n" +
			"PVs in a beamline, values are not asked for.",
		Example: "  tagline find BL01T-MO-STAGE-01:RBV\n  tagline find 'BL01T-.*:RBV'",
		RunE: func(cmd *cobra.Command, given []string) error {
			for _, pattern := range given {
				if _, err := regexp.Compile(pattern); err != nil {
					return usage(cmd, err)
				}
			}
			if err := a.kubeconfig(b); err != nil {
				return err
			}
			beamlines, err := ledger.Reach(cmd.Context(), b.access)
			if err != nil {
				return err
			}
			found, err := pvs.Search(cmd.Context(), beamlines, given)
			printed := a.print(found, func(w io.Writer) error { return writeFound(w, found) })
			if err != nil {
				return err // of beamlines that could not be read: the PV may be there
			}
			return printed
		},
	}, pvArg, pvArg.orMore())
	b.accessFlags(cmd)
	return cmd
}

// writeFound shows PVs as a person reads them.
func writeFound(w io.Writer, found []pvs.Match) error {
	if len(found) == 0 {
		fmt.Fprintln(
			w, "no release that runs serves it, as its tests saw: a pattern must match the whole name, as '.*:RBV' does",
		)
		return nil
	}
	unasked := false
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PV\tTYPE\tBEAMLINE\tIOC\tVALUE")
	for _, m := range found {
		value := or(m.Value + m.Note)
		if m.Failed != "" {
			value = "no answer: " + m.Failed
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", m.Name, m.Type, m.Beamline, m.Instance, value)
		unasked = unasked || value == "-"
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if unasked {
		fmt.Fprintln(w, "of a beamline with more than fifty of them none is asked: name fewer for their values")
	}
	return nil
}
