package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/tagline-ci/tagline/pipelines/approval"
	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/gate"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// newApprove is `tagline approve`.
func newApprove(a *app) *cobra.Command {
	s, b, by, until, digest := &site{}, &beamlineCluster{}, signing{}, 24*time.Hour, ""
	cmd := a.takes(&cobra.Command{
		Use:   "approve BEAMLINE VERSION",
		Short: "Approve the promotion of a release",
		Long: "Signs, with your key or as your OIDC identity, that this record may go to this beamline\n" +
			"under its policy of now, and attaches that to the record. It ends after --until, when it\n" +
			"is revoked, or when the policy changes.",
		Example: "  TAGLINE_KEY_PASSWORD=… tagline approve bl01t 2026.11.2 --key ajp.key\n" +
			"  tagline approve bl01t 2026.11.2 --keyless --until 2h",
		RunE: func(cmd *cobra.Command, given []string) error {
			q, verdict, err := a.ask(cmd.Context(), s, b, given, digest)
			if err != nil {
				return err
			}
			signer, err := a.signerOf(cmd.Context(), by)
			if err != nil {
				return err
			}
			done, err := q.Approve(cmd.Context(), signer, verdict, until)
			if err != nil {
				return err
			}
			return a.print(done, func(w io.Writer) error {
				_, err := fmt.Fprintf(
					w, "%s %s is approved until %s: %s\n", done.Beamline, done.Version,
					done.Until.Format(time.RFC3339), done.ID,
				)
				return err
			})
		},
	}, beamlineArg, versionArg)
	s.flags(cmd)
	b.flags(cmd)
	by.flags(cmd)
	digestFlag(cmd, &digest)
	cmd.Flags().DurationVar(&until, "until", until, "how long the approval holds")
	return cmd
}

// newApprovals is `tagline approvals`.
func newApprovals(a *app) *cobra.Command {
	s, b := &site{}, &beamlineCluster{}
	cmd := a.takes(&cobra.Command{
		Use: "approvals BEAMLINE VERSION", Short: "List the approvals of a release, and which count",
		Long: "Lists every approval that is attached to the record, who signed it, until when it\n" +
			"holds, and why it does not count where it does not.",
		Example: "  tagline approvals bl01t 2026.11.2",
		RunE: func(cmd *cobra.Command, given []string) error {
			_, verdict, err := a.ask(cmd.Context(), s, b, given, "")
			if err != nil {
				return err
			}
			list := append([]approval.Judged{}, verdict.Approvals...)
			return a.print(list, func(w io.Writer) error { return writeApprovals(w, list) })
		},
	}, beamlineArg, versionArg)
	s.flags(cmd)
	b.flags(cmd)
	return cmd
}

// newRevoke is `tagline revoke`.
func newRevoke(a *app) *cobra.Command {
	s, b, by := &site{}, &beamlineCluster{}, signing{}
	cmd := a.takes(&cobra.Command{
		Use: "revoke BEAMLINE VERSION APPROVAL", Short: "End an approval",
		Long: "Signs that an approval, named by the beginning of its ID, counts no more. Every approver\n" +
			"of the policy may end any approval.",
		Example: "  tagline revoke bl01t 2026.11.2 K7QX --key ajp.key",
		RunE: func(cmd *cobra.Command, given []string) error {
			q, verdict, err := a.ask(cmd.Context(), s, b, given[:2], "")
			if err != nil {
				return err
			}
			signer, err := a.signerOf(cmd.Context(), by)
			if err != nil {
				return err
			}
			return q.Revoke(cmd.Context(), signer, verdict, given[2])
		},
	}, beamlineArg, versionArg, approvalArg)
	s.flags(cmd)
	b.flags(cmd)
	by.flags(cmd)
	return cmd
}

// ask asks the gate about a beamline and a version, as given on the command line.
func (a *app) ask(
	ctx context.Context, s *site, b *beamlineCluster, given []string, digest string,
) (*gate.Inquiry, *gate.Verdict, error) {
	v, err := asset.ParseVersion(given[1])
	if err != nil {
		return nil, nil, err
	}
	q, _, err := a.inquiry(ctx, s, b, given[0])
	if err != nil {
		return nil, nil, err
	}
	verdict, err := q.Ask(ctx, v, asset.Digest(digest))
	return q, verdict, err
}

// signerOf returns the signer of an approval, which must be named.
func (a *app) signerOf(ctx context.Context, by signing) (sign.Signer, error) {
	signer, err := a.signer(ctx, by)
	if err == nil && signer == nil {
		err = &diag.Error{
			Kind: diag.Invalid, Doing: "reading who signs", Err: errors.New("nobody is named"),
			Fix: "give --key with your private key, or --keyless with SIGSTORE_ID_TOKEN",
		}
	}
	return signer, err
}

// writeApprovals shows approvals, a line each.
func writeApprovals(w io.Writer, list []approval.Judged) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, j := range list {
		counts, signer := "counts", j.By
		if !j.Good {
			counts = "does not count: " + j.Why
		}
		if signer == "" {
			signer = j.Signer
		}
		if j.Override != "" {
			counts += " (override: " + j.Override + ")"
		}
		fmt.Fprintf(t, "%.8s\t%s\tuntil %s\t%s\n", j.ID, signer, j.Until.UTC().Format(time.RFC3339), counts)
	}
	return t.Flush()
}
