package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/approval"
	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/gate"
	"github.com/tagline-ci/tagline/pipelines/github"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/promote"
	"github.com/tagline-ci/tagline/pipelines/registry"
)

// newGate is `tagline gate`: whether a release may be promoted.
func newGate(a *app) *cobra.Command {
	s, b := &site{}, &beamlineCluster{}
	var digest string
	cmd := a.takes(&cobra.Command{
		Use:   "gate BEAMLINE VERSION",
		Short: "Show every reason for and against a promotion",
		Long: "Verifies a release as a promotion would, judges it by the beamline's policy, and shows\n" +
			"every reason. Nothing is changed. The exit status is 3 where the gate is closed.",
		Example: "  tagline gate bl01t 2026.11.2\n  tagline gate bl01t 2026.11.2 --output json",
		RunE: func(cmd *cobra.Command, given []string) error {
			v, err := asset.ParseVersion(given[1])
			if err != nil {
				return err
			}
			q, _, err := a.inquiry(cmd.Context(), s, b, given[0])
			if err != nil {
				return err
			}
			verdict, err := q.Ask(cmd.Context(), v, asset.Digest(digest))
			if err != nil {
				return err
			}
			if err := a.print(verdict, func(w io.Writer) error { return writeVerdict(w, verdict) }); err != nil {
				return err
			}
			_, err = verdict.Pass()
			return err
		},
	}, beamlineArg, versionArg)
	s.flags(cmd)
	b.flags(cmd)
	digestFlag(cmd, &digest)
	return cmd
}

func digestFlag(cmd *cobra.Command, digest *string) {
	cmd.Flags().StringVar(
		digest, "digest", "", "digest of the record that is meant, whatever the version's tag names by now: sha256:…",
	)
}

// inquiry prepares the question whether a release may go to a beamline.
func (a *app) inquiry(
	ctx context.Context, s *site, b *beamlineCluster, beamline string,
) (*gate.Inquiry, *cluster.Namespace, error) {
	reg, err := a.openRegistry(ctx, s)
	if err != nil {
		return nil, nil, err
	}
	n, err := a.openCluster(ctx, b, beamline)
	if err != nil {
		return nil, nil, err
	}
	q, err := a.inquiryIn(ctx, b, n, reg)
	return q, n, err
}

// inquiryIn prepares questions about releases for a beamline's namespace.
func (a *app) inquiryIn(
	ctx context.Context, b *beamlineCluster, n *cluster.Namespace, reg *registry.Registry,
) (*gate.Inquiry, error) {
	p, err := a.beamlinePolicy(ctx, b, n)
	if err != nil {
		return nil, err
	}
	q, err := promote.Inquire(ctx, b.access, n, p, reg)
	if err != nil {
		return nil, err
	}
	q.Reviews, err = a.reviews(p, n.Beamline)
	return q, err
}

// reviews returns how to read the approvals of the GitHub run that this is; nil
// where it is none, or where the policy takes none from GitHub. The token goes to
// the server that the policy names, and to no other.
func (a *app) reviews(
	p *policy.Policy, beamline string,
) (func(context.Context, asset.Version) ([]approval.Judged, error), error) {
	run, err := strconv.ParseInt(a.env("GITHUB_RUN_ID"), 10, 64)
	if err != nil || p.Approvals == nil || p.Approvals.GitHub == nil {
		return nil, nil
	}
	from := p.Approvals.GitHub
	api, err := github.Open(cmp.Or(from.API, github.PublicAPI), from.Repository, a.env("GITHUB_TOKEN"))
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, v asset.Version) ([]approval.Judged, error) {
		return api.Approvals(ctx, p.Approvals, github.Promotion{Beamline: beamline, Version: v.String(), Run: run})
	}, nil
}

// writeVerdict shows every reason, those against first.
func writeVerdict(w io.Writer, v *gate.Verdict) error {
	answer := "may be promoted"
	if !v.Open {
		answer = "may not be promoted"
	}
	fmt.Fprintf(
		w, "%s %s %s\n  record %s, policy %s\n", v.Beamline, v.Version, answer, v.Record.Short(),
		asset.Digest(v.Policy).Short(),
	)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, against := range []bool{true, false} {
		for _, r := range v.Reasons {
			mark := "for"
			switch {
			case r.Overridden:
				mark = "overridden"
			case !r.OK:
				mark = "against"
			}
			if (mark == "against") == against {
				fmt.Fprintf(t, "  %s\t%s\t%s\n", mark, r.Rule, r.Why)
			}
		}
	}
	if v.Override != "" {
		fmt.Fprintf(t, "  override\t\t%s\n", v.Override)
	}
	return t.Flush()
}
