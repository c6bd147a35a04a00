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
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// newPromote is `tagline promote`: the pipeline from a record to a beamline.
func newPromote(a *app) *cobra.Command {
	s, b, by, timeout := &site{}, &beamlineCluster{}, signing{}, time.Duration(0)
	var digest, override, lift string
	cmd := a.takes(&cobra.Command{
		Use:   "promote BEAMLINE VERSION",
		Short: "Make a beamline run a release",
		Long: "Verifies a release, takes it through the gate of the beamline's policy, deploys every\n" +
			"IOC instance by digest, waits until each is ready and answers over EPICS, and puts the\n" +
			"whole beamline back as it was when one does not (exit status 4). Only IOCs that changed\n" +
			"restart. Where the policy has verify, the beamline is watched for so long, and put back\n" +
			"when it gets worse. Promoting what already runs changes nothing and asks every IOC. A\n" +
			"promotion that was killed is finished by the same command.",
		Example: "  tagline promote bl01t 2026.11.2\n" +
			"  tagline promote bl01t 2026.11.2 --override \"the shutter is stuck\" --key ajp.key",
		RunE: func(cmd *cobra.Command, given []string) error {
			v, err := asset.ParseVersion(given[1])
			if err != nil {
				return err
			}
			var result *promote.Result
			err = a.change(cmd.Context(), given[0], func(ctx context.Context) error {
				q, n, err := a.inquiry(ctx, s, b, given[0])
				if err != nil {
					return err
				}
				verdict, err := q.AskOver(ctx, v, asset.Digest(digest), a.over(override, by))
				if err != nil {
					return err
				}
				pass, err := a.passed(verdict)
				if err != nil {
					return err
				}
				deps := promote.Deps{
					Cluster: n, Chart: q.Registry.Chart, Lift: lift, Holder: a.holder(), Timeout: timeout,
					Again: func(ctx context.Context) (gate.Pass, error) {
						q, err := a.inquiryIn(ctx, b, n, q.Registry)
						if err != nil {
							return gate.Pass{}, err
						}
						return q.Pass(ctx, v, pass.Digest())
					},
				}
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
	b.flags(cmd)
	by.flags(cmd)
	timeoutFlag(cmd, &timeout)
	digestFlag(cmd, &digest)
	cmd.Flags().StringVar(&lift, "lift-hold", "", "why the hold that a rollback placed may end")
	cmd.Flags().StringVar(
		&override, "override", "",
		"promote in spite of approvals, soak, closed times and holds, for this reason; signed with --key or --keyless by one whom the policy names, and attached to the record for ever",
	)
	return cmd
}

// over returns why a policy is to be overridden, and who signs that.
func (a *app) over(reason string, by signing) gate.Over {
	return gate.Over{Reason: reason, By: func(ctx context.Context) (sign.Signer, error) { return a.signerOf(ctx, by) }}
}

// passed returns what lets a release through, after a line on who overrides the policy, if
// somebody does.
func (a *app) passed(verdict *gate.Verdict) (gate.Pass, error) {
	if verdict.Override != "" {
		fmt.Fprintf(plain{a.Err}, "the policy is overridden by %s\n", verdict.Override)
	}
	return verdict.Pass()
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
		note := ""
		switch {
		case ioc.Did == promote.Stopped:
			note = ioc.Doing
		case ioc.Doing != "":
			note = "not ready, and was not before: " + ioc.Doing
		case ioc.Value != "":
			note = ioc.PV + " = " + ioc.Value
		}
		fmt.Fprintf(t, "  %s\t%s\t%s\n", ioc.Name, ioc.Did, note)
	}
	if err := t.Flush(); err != nil || r.Verified == "" {
		return err
	}
	_, err := fmt.Fprintln(w, r.Verified)
	return err
}
