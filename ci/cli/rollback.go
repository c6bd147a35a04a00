package cli

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/gate"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/promote"
)

// newRollback is `tagline rollback`.
func newRollback(a *app) *cobra.Command {
	s, b, by, timeout, override := &site{}, &beamlineCluster{}, signing{}, time.Duration(0), ""
	cmd := a.takes(&cobra.Command{
		Use:   "rollback BEAMLINE [VERSION]",
		Short: "Make a beamline run a former release again",
		Long: "Brings back the release that ran before, or the named one of those that ran, and\n" +
			"checks that every IOC lives on it. The beamline's policy is asked for its signers,\n" +
			"closed times and holds; what was approved once needs no new approval. Where it has\n" +
			"verify, the beamline is watched for so long, and stays where it is when it gets worse\n" +
			"(exit status 5). After a promotion that was killed it brings back what ran before that.\n" +
			"No git repository is needed.",
		Example: "  tagline rollback bl01t\n" +
			"  tagline rollback bl01t 2026.10.4 --override \"the shutter is stuck\" --key ajp.key",
		RunE: func(cmd *cobra.Command, given []string) error {
			to := ""
			if len(given) == 2 {
				to = given[1]
			}
			var result *promote.Result
			err := a.change(cmd.Context(), given[0], func(ctx context.Context) error {
				n, err := a.openCluster(ctx, b, given[0])
				if err != nil {
					return err
				}
				deps := promote.Deps{
					Cluster: n, Holder: a.holder(), Timeout: timeout,
					May: func(ctx context.Context, to ledger.Release) (gate.Pass, error) {
						return a.mayReturn(ctx, s, b, n, to, override, by)
					},
					// A rollback seldom needs the registry, and must not fail where none is named.
					Chart: func(ctx context.Context, ref asset.Ref) ([]byte, error) {
						reg, err := a.openRegistry(ctx, s)
						if err != nil {
							return nil, err
						}
						return reg.Chart(ctx, ref)
					},
				}
				result, err = promote.Rollback(ctx, deps, to)
				return err
			})
			if result == nil {
				return err
			}
			// It may be done, and not all be well.
			return errors.Join(
				a.print(result, func(w io.Writer) error { return writeMove(w, "rolled back to", result) }), err,
			)
		},
	}, beamlineArg, versionArg.orNone())
	s.flags(cmd)
	b.flags(cmd)
	by.flags(cmd)
	timeoutFlag(cmd, &timeout)
	cmd.Flags().StringVar(
		&override, "override", "",
		"go back in spite of closed times and holds, for this reason; signed with --key or --keyless by one whom the policy names",
	)
	return cmd
}

// mayReturn asks the beamline's policy whether a release may run again.
func (a *app) mayReturn(
	ctx context.Context, s *site, b *beamlineCluster, n *cluster.Namespace, to ledger.Release, override string,
	by signing,
) (gate.Pass, error) {
	reg, err := a.openRegistry(ctx, s)
	if err != nil && override != "" {
		return gate.Pass{}, err // an override is attached to the record
	}
	q, err := a.inquiryIn(ctx, b, n, reg)
	if err != nil {
		return gate.Pass{}, err
	}
	former := gate.Former{Version: to.Record.Version, Record: to.Digest, Signatures: to.Signatures, Needs: to.Needs}
	verdict, err := q.ReturnOver(ctx, former, a.over(override, by))
	if err != nil {
		return gate.Pass{}, err
	}
	return a.passed(verdict)
}
