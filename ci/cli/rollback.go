package cli

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/promote"
)

// newRollback is `tagline rollback`.
func newRollback(a *app) *cobra.Command {
	s, b, timeout := &site{}, &beamlineCluster{}, time.Duration(0)
	cmd := a.takes(&cobra.Command{
		Use:   "rollback BEAMLINE [VERSION]",
		Short: "Make a beamline run a former release again",
		Long: "Brings back the release that ran before, or the named one of those that ran, and\n" +
			"checks that every IOC lives on it. After a promotion that was killed it brings back\n" +
			"what ran before that. No git repository is needed.",
		Example: "  tagline rollback bl01t\n  tagline rollback bl01t 2026.10.4",
		RunE: func(cmd *cobra.Command, given []string) error {
			to := ""
			if len(given) == 2 {
				to = given[1]
			}
			var result *promote.Result
			err := a.change(cmd.Context(), given[0], func(ctx context.Context) error {
				deps, err := a.moveDeps(ctx, b, s, given[0], timeout)
				if err != nil {
					return err
				}
				result, err = promote.Rollback(ctx, deps, to)
				return err
			})
			if err != nil {
				return err
			}
			return a.print(result, func(w io.Writer) error { return writeMove(w, "rolled back to", result) })
		},
	}, beamlineArg, versionArg.orNone())
	s.flags(cmd)
	b.flags(cmd)
	timeoutFlag(cmd, &timeout)
	return cmd
}
