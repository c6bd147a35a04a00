package cli

import (
	"io"

	"github.com/spf13/cobra"
)

// newRecord is `tagline record`.
func newRecord(a *app) *cobra.Command {
	s := &site{}
	cmd := a.takes(&cobra.Command{
		Use:   "record TAG",
		Short: "Show the record of a release",
		Long: "Shows what a release left behind: every artifact by digest, its parents, the\n" +
			"commits of its sources, and the tests that passed.",
		Example: "  tagline record bl01t/2026.11.1\n  tagline record bl01t/2026.11.1 --output json",
		RunE: func(cmd *cobra.Command, given []string) error {
			t, err := a.released(given[0])
			if err != nil {
				return err
			}
			reg, err := a.openRegistry(cmd.Context(), s)
			if err != nil {
				return err
			}
			rec, _, err := reg.Record(cmd.Context(), t.Asset, t.Version)
			if err != nil {
				return reg.Meant(cmd.Context(), t.Asset, t.Version, err)
			}
			return a.print(rec, func(w io.Writer) error { return writeRecord(w, rec) })
		},
	}, tagArg)
	s.flags(cmd)
	return cmd
}
