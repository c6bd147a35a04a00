package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
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
			done, err := a.attach(cmd.Context(), by, q, verdict, approval.Approval{Until: q.Now.Add(until)})
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
			id, err := approvalNamed(verdict.Approvals, given)
			if err != nil {
				return err
			}
			return approval.Revoke(cmd.Context(), q.Registry, signer, q.Ref(verdict.Record), id, q.Now.UTC())
		},
	}, beamlineArg, versionArg, approvalArg)
	s.flags(cmd)
	b.flags(cmd)
	by.flags(cmd)
	return cmd
}

// approvalNamed returns the ID of the one approval that begins as given, after a
// beamline and a version. The error is of kind diag.Invalid where none does, or
// several do.
func approvalNamed(all []approval.Judged, given []string) (string, error) {
	var found []string
	for _, j := range all {
		if strings.HasPrefix(j.ID, given[2]) {
			found = append(found, j.ID)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	err := fmt.Errorf("it has no approval %q", given[2])
	if len(found) > 1 {
		err = fmt.Errorf("%d of its approvals begin with %q", len(found), given[2])
	}
	return "", &diag.Error{
		Kind: diag.Invalid, Doing: "revoking", Asset: given[0], Version: given[1], Err: err,
		Fix: "see tagline approvals " + given[0] + " " + given[1],
	}
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

// attach signs and attaches an approval of the record that the gate was asked about.
func (a *app) attach(
	ctx context.Context, by signing, q *gate.Inquiry, v *gate.Verdict, what approval.Approval,
) (*approval.Approval, error) {
	signer, err := a.signerOf(ctx, by)
	if err != nil {
		return nil, err
	}
	what.Beamline, what.Version, what.Policy = string(v.Beamline), v.Version.String(), v.Policy
	what.From, what.Until = q.Now.UTC(), what.Until.UTC()
	return approval.Give(ctx, q.Registry, signer, q.Ref(v.Record), what)
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
