package cli

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/gate"
	"github.com/tagline-ci/tagline/pipelines/promote"
)

// newPromote is `tagline promote`: the pipeline from a record to a beamline.
func newPromote(a *app) *cobra.Command {
	s, b, timeout := &site{}, &beamlineCluster{}, time.Duration(0)
	var approver, lift string
	cmd := a.takes(&cobra.Command{
		Use:   "promote BEAMLINE VERSION",
		Short: "Make a beamline run a release",
		Long: "Deploys every IOC instance of a release by digest, waits until each is ready and\n" +
			"answers over EPICS, and puts the whole beamline back as it was when one does not\n" +
			"(exit status 4). Only IOCs that changed restart. Promoting what already runs changes\n" +
			"nothing and asks every IOC. A promotion that was killed is finished by the same command.",
		Example: "  tagline promote bl01t 2026.11.2\n  tagline promote bl01t 2026.11.2 --approved-by ajp",
		RunE: func(cmd *cobra.Command, given []string) error {
			v, err := asset.ParseVersion(given[1])
			if err != nil {
				return err
			}
			var result *promote.Result
			err = a.change(cmd.Context(), given[0], func(ctx context.Context) error {
				reg, err := a.openRegistry(s)
				if err != nil {
					return err
				}
				pass, err := gate.Open(ctx, reg, asset.Name(given[0]), v, approver)
				if err != nil {
					return err
				}
				b.namespace = pass.Record().Namespace
				deps, err := a.moveDeps(ctx, b, s, given[0], timeout)
				if err != nil {
					return err
				}
				deps.Lift = lift
				result, err = promote.Run(ctx, deps, pass)
				return err
			})
			if err != nil {
				return err
			}
			return a.print(result, func(w io.Writer) error { return writeMove(w, "promoted", result) })
		},
	}, beamlineArg, versionArg)
	s.flags(cmd)
	b.accessFlags(cmd)
	timeoutFlag(cmd, &timeout)
	cmd.Flags().StringVar(&approver, "approved-by", "",
		"who approved this release for this beamline, where beamline.yaml asks for it")
	cmd.Flags().StringVar(&lift, "lift-hold", "", "why the hold that a rollback placed may end")
	return cmd
}

// writeMove shows what a promotion or rollback did.
func writeMove(w io.Writer, did string, r *promote.Result) error {
	now := r.Version
	if now == "" {
		now = "nothing"
	}
	fmt.Fprintf(w, "%s: %s %s", r.Beamline, did, now)
	if r.Former != "" {
		fmt.Fprintf(w, ", was %s", r.Former)
	}
	fmt.Fprintln(w)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, ioc := range r.IOCs {
		said := ""
		switch {
		case ioc.Doing != "":
			said = "not ready, and was not before: " + ioc.Doing
		case ioc.Value != "":
			said = ioc.PV + " = " + ioc.Value
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\n", ioc.Name, ioc.Did, said)
	}
	return t.Flush()
}
