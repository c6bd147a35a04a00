package gate

import (
	"context"
	"errors"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// Former is a release that ran on a beamline before, as its namespace remembers it.
type Former struct {
	Version    asset.Version
	Record     asset.Digest       // its digest
	Signatures []record.Signature // those that were verified when it was promoted
	// Needs is by instance what its chart needs beyond an IOC, as it was found then.
	Needs map[string][]string
}

// Return judges going back to a release that ran before: whether the policy still
// trusts those who signed it and what it runs, whether it consents to what its charts
// need, and by closed times and holds. Its record, checks, approvals and soak were
// judged when it was promoted. The registry is asked only where approvals that are
// attached to the record could open what is closed; nil stands for one that can't be
// asked. Reviews are of a promotion, and are not read.
func (q *Inquiry) Return(ctx context.Context, to Former) (*Verdict, error) {
	trusted, err := q.trusted(ctx)
	if err != nil {
		return nil, err
	}
	rel := &attest.Release{Digest: to.Record}
	if len(to.Signatures) > 0 {
		rel.Signer = to.Signatures[0].Signer
	}
	f := Facts{
		Beamline: q.Beamline, Namespace: q.Namespace, Release: rel, Policy: q.Policy, Now: q.Now, Needs: to.Needs,
	}
	v := q.judgeReturn(f, to, trusted)
	if v.Open || q.Policy.Approvals == nil {
		return v, nil
	}
	if q.Registry == nil {
		f.Unreadable = []error{errors.New("approvals: no registry is named")}
	} else if f.Approvals, _, err = q.attached(ctx, rel); err != nil {
		f.Unreadable = []error{err}
	}
	return q.judgeReturn(f, to, trusted), nil
}

func (q *Inquiry) judgeReturn(f Facts, to Former, trusted attest.Trusted) *Verdict {
	v := &Verdict{
		Beamline: q.Beamline, Version: to.Version, Record: to.Record, Policy: q.Policy.Digest(),
		Approvals: f.Approvals, Needs: f.Needs, doing: "rolling back to", verify: q.Policy.Verify,
		told: len(q.Policy.Events) > 0,
	}
	still := func(Facts) []Reason { return trustedStill(to, trusted) }
	v.judge(f, still, known, consent, closed, holds)
	return v
}

// trustedStill wants the policy to trust now who signed then. A policy that asked
// for no signatures then left none to judge by.
func trustedStill(to Former, trusted attest.Trusted) (faults []Reason) {
	const verify = "promote it instead, which verifies it anew, or go back to another release"
	if trusted == nil {
		return nil
	}
	if len(to.Signatures) == 0 {
		return []Reason{no(
			Signed, verify, "its signature was never verified: the policy asked for none when it was promoted",
		)}
	}
	for _, s := range to.Signatures {
		names := func(t *sign.Trust) bool { return t.Names(s.Signer, s.Tag.String()) }
		if !slices.ContainsFunc(trusted(s.Asset), names) {
			faults = append(faults, no(
				Signed, verify, "%s was signed by %s, whom the policy trusts with it no more", s.Tag, s.Signer,
			))
		}
	}
	if len(faults) > 0 {
		return faults
	}
	return []Reason{yes(Signed, "the policy still trusts those who signed it and what it runs")}
}
