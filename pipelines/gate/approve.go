package gate

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tagline-ci/tagline/pipelines/approval"
	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// overrideFor is how long an override holds: for the change that it was made for.
const overrideFor = time.Hour

// Approve signs that the release of a verdict may go to the beamline for so long, and
// attaches that to its record.
func (q *Inquiry) Approve(
	ctx context.Context, by sign.Signer, v *Verdict, long time.Duration,
) (*approval.Approval, error) {
	return q.give(ctx, by, v, approval.Approval{Until: q.Now.Add(long)})
}

// Over is why a policy is overridden, and by whom. The zero value overrides nothing.
type Over struct {
	Reason string
	// By returns who signs it. It is called once the release is known to be one.
	By func(context.Context) (sign.Signer, error)
}

// AskOver judges a release as Ask does. Where the policy is to be overridden, that is
// signed and attached to the record before; whether whoever signs it may is the policy's.
func (q *Inquiry) AskOver(ctx context.Context, v asset.Version, digest asset.Digest, over Over) (*Verdict, error) {
	verdict, err := q.Ask(ctx, v, digest)
	if err != nil || over.Reason == "" {
		return verdict, err
	}
	if err := q.override(ctx, verdict, over); err != nil {
		return nil, err
	}
	return q.Ask(ctx, v, verdict.Record)
}

// ReturnOver judges going back to a release as Return does. Where the policy is to be
// overridden and refuses it, the override is attached to the record as AskOver does.
func (q *Inquiry) ReturnOver(ctx context.Context, to Former, over Over) (*Verdict, error) {
	verdict, err := q.Return(ctx, to)
	if err != nil || verdict.Open || over.Reason == "" {
		return verdict, err
	}
	if err := q.override(ctx, verdict, over); err != nil {
		return nil, err
	}
	return q.Return(ctx, to)
}

// override signs that the release of a verdict may go to the beamline in spite of its
// policy, and attaches that to its record.
func (q *Inquiry) override(ctx context.Context, v *Verdict, over Over) error {
	by, err := over.By(ctx)
	if err != nil {
		return err
	}
	_, err = q.give(ctx, by, v, approval.Approval{Override: over.Reason, Until: q.Now.Add(overrideFor)})
	return err
}

func (q *Inquiry) give(
	ctx context.Context, by sign.Signer, v *Verdict, what approval.Approval,
) (*approval.Approval, error) {
	what.Beamline, what.Version, what.Policy = string(v.Beamline), v.Version.String(), v.Policy
	what.From, what.Until = q.Now.UTC(), what.Until.UTC()
	return approval.Give(ctx, q.Registry, by, q.Ref(v.Record), what)
}

// Revoke ends the one approval of a verdict whose ID begins so. The error is of kind
// diag.Invalid where none does, or several do.
func (q *Inquiry) Revoke(ctx context.Context, by sign.Signer, v *Verdict, begins string) error {
	id, err := v.approvalNamed(begins)
	if err != nil {
		return err
	}
	return approval.Revoke(ctx, q.Registry, by, q.Ref(v.Record), id, q.Now.UTC())
}

func (v *Verdict) approvalNamed(begins string) (string, error) {
	var found []string
	for _, j := range v.Approvals {
		if strings.HasPrefix(j.ID, begins) {
			found = append(found, j.ID)
		}
	}
	if len(found) == 1 {
		return found[0], nil
	}
	err := fmt.Errorf("it has no approval %q", begins)
	if len(found) > 1 {
		err = fmt.Errorf("%d of its approvals begin with %q", len(found), begins)
	}
	return "", &diag.Error{
		Kind: diag.Invalid, Doing: "revoking", Asset: string(v.Beamline), Version: v.Version.String(), Err: err,
		Fix: fmt.Sprintf("see tagline approvals %s %s", v.Beamline, v.Version),
	}
}
