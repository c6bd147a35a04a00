package gate

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tagline-ci/tagline/pipelines/approval"
	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/sign"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Inquiry collects the facts for a decision from the registry and the cluster. It
// changes nothing.
type Inquiry struct {
	Beamline  asset.Name
	Namespace string
	Policy    *policy.Policy
	Registry  *registry.Registry
	// Sigstore returns the public instance, for the policy's identities without a
	// trusted root of their own. It is called when one is needed.
	Sigstore func(context.Context) (*sign.Sigstore, error)
	// Healthy returns since when each image digest has been healthy without a break
	// in a beamline's namespace.
	Healthy func(ctx context.Context, namespace string) (map[asset.Digest]time.Time, error)
	// Reviews returns approvals that are not attached to the record: those of the run
	// of a workflow that this is. It is nil where this is none.
	Reviews func(ctx context.Context, v asset.Version) ([]approval.Judged, error)
	Now     time.Time
}

// Pass judges a release as Ask does, and returns what lets it through. The error is also
// that of a Verdict that refuses it.
func (q *Inquiry) Pass(ctx context.Context, v asset.Version, digest asset.Digest) (Pass, error) {
	verdict, err := q.Ask(ctx, v, digest)
	if err != nil {
		return Pass{}, err
	}
	return verdict.Pass()
}

// Ask judges a release. digest is the one of the record that is wanted, "sha256:…",
// or empty for the one that its tag names now. The record is verified before it,
// or anything that it names, is read. The error is of kind Refused when it is not
// to be trusted, which no Verdict can say.
func (q *Inquiry) Ask(ctx context.Context, v asset.Version, digest asset.Digest) (*Verdict, error) {
	trusted, err := q.trusted(ctx)
	if err != nil {
		return nil, err
	}
	rel, err := attest.Read(ctx, q.Registry, trusted, q.Beamline, v, digest)
	if err != nil {
		return nil, q.Registry.Meant(ctx, q.Beamline, v, err)
	}
	f := Facts{Beamline: q.Beamline, Namespace: q.Namespace, Release: rel, Policy: q.Policy, Now: q.Now}
	if trusted != nil {
		if f.Parents, err = attest.Chain(ctx, q.Registry, trusted, rel.Record); err != nil {
			return nil, err
		}
	}
	if f.Taken, err = attest.Taken(ctx, q.Registry, trusted, rel.Record); err != nil {
		return nil, err
	}
	if f.Approvals, err = q.approvals(ctx, rel); err != nil {
		f.Unreadable = append(f.Unreadable, err)
	}
	if err = q.images(ctx, rel.Record); err != nil {
		f.Unreadable = append(f.Unreadable, err)
	}
	if f.Needs, err = q.needs(ctx, rel.Record); err != nil {
		f.Unreadable = append(f.Unreadable, err)
	}
	if f.Healthy, err = q.healthy(ctx); err != nil {
		f.Unreadable = append(f.Unreadable, err)
	}
	return Decide(f), nil
}

// Ref returns the address of the record with a digest.
func (q *Inquiry) Ref(digest asset.Digest) asset.Ref {
	return q.Registry.RecordRef(q.Beamline, digest)
}

// trusted returns the policy's signers; nil where releases need no signature.
func (q *Inquiry) trusted(ctx context.Context) (attest.Trusted, error) {
	if q.Policy.Unsigned != "" {
		return nil, nil
	}
	return Signers(ctx, q.Policy, q.Sigstore)
}

// Signers returns the signers of a policy. sigstore returns the public instance.
func Signers(
	ctx context.Context, p *policy.Policy, sigstore func(context.Context) (*sign.Sigstore, error),
) (attest.Trusted, error) {
	all := make([]*sign.Trust, len(p.Signers))
	for i, s := range p.Signers {
		var err error
		if all[i], err = trust(ctx, s.Key, s.Identity, s.Issuer, s.TrustedRoot, sigstore); err != nil {
			return nil, err
		}
	}
	return func(name asset.Name) (may []*sign.Trust) {
		for i, s := range p.Signers {
			if s.May(name) {
				may = append(may, all[i])
			}
		}
		return may
	}, nil
}

func trust(
	ctx context.Context, key, identity, issuer, trustedRoot string,
	sigstore func(context.Context) (*sign.Sigstore, error),
) (*sign.Trust, error) {
	if key != "" {
		return sign.TrustKeys([]byte(key))
	}
	var instance *sign.Sigstore
	var err error
	if trustedRoot != "" {
		instance, err = sign.ReadSigstore([]byte(trustedRoot), nil)
	} else {
		instance, err = sigstore(ctx)
	}
	if err != nil {
		return nil, err
	}
	return instance.Trust(identity, issuer)
}

// approvals reads and judges the approvals that are attached to a record, and the reviews.
// Whoever has approved already counts once, and who signed the release not at all, in
// whichever way the policy knows that person.
func (q *Inquiry) approvals(ctx context.Context, rel *attest.Release) ([]approval.Judged, error) {
	all, question, err := q.attached(ctx, rel)
	if err != nil || question == nil || q.Reviews == nil {
		return all, err
	}
	reviews, err := q.Reviews(ctx, rel.Record.Version)
	if err != nil {
		return nil, err
	}
	for _, j := range reviews {
		if j.Good && !question.Self && question.Signed(j.By) {
			j.Good, j.Why = false, approval.BySigner
		}
		if j.Good && slices.ContainsFunc(all, func(o approval.Judged) bool {
			return o.Good && o.Override == "" && strings.EqualFold(o.By, j.By)
		}) {
			j.Good, j.Why = false, j.By+" has approved it already"
		}
		all = append(all, j)
	}
	return all, nil
}

// attached reads and judges the approvals that are attached to a record. It returns by
// what they were judged too, nil where the policy asks for no approvals.
func (q *Inquiry) attached(
	ctx context.Context, rel *attest.Release,
) ([]approval.Judged, *approval.Question, error) {
	if q.Policy.Approvals == nil {
		return nil, nil, nil
	}
	found, err := approval.Find(ctx, q.Registry, q.Ref(rel.Digest))
	if err != nil {
		return nil, nil, err
	}
	question, err := q.question(ctx, rel)
	if err != nil {
		return nil, nil, err
	}
	return found.Judge(*question), question, nil
}

// question returns by what the approvals of a release are judged.
func (q *Inquiry) question(ctx context.Context, rel *attest.Release) (*approval.Question, error) {
	question := &approval.Question{
		Beamline: string(q.Beamline), Record: string(rel.Digest), Policy: q.Policy.Digest(),
		Signer: rel.Signer, Self: q.Policy.Approvals.Self, Now: q.Now,
	}
	for _, a := range q.Policy.Approvals.From {
		// What signs: a user of GitHub signs nothing.
		for _, way := range []struct{ key, identity string }{{key: a.Key}, {identity: a.Identity}} {
			if way.key == "" && way.identity == "" {
				continue
			}
			t, err := trust(ctx, way.key, way.identity, a.Issuer, a.TrustedRoot, q.Sigstore)
			if err != nil {
				return nil, err
			}
			question.Approvers = append(question.Approvers, approval.Approver{Name: a.Name, Trust: t})
		}
	}
	return question, nil
}

// images refuses a list of images in place of one that an instance is to run: the node
// would take one of them, and another one may have been tested.
func (q *Inquiry) images(ctx context.Context, rec *record.Record) error {
	var refs []asset.Ref
	for _, inst := range rec.Instances {
		if inst.Service == "" {
			refs = append(refs, inst.Image)
		}
	}
	slices.Sort(refs)
	return step.Each(ctx, sideBySide, slices.Compact(refs), q.Registry.OneImage)
}

// healthy asks all beamlines on which the images must have run. An image counts
// from where it has been healthy longest.
func (q *Inquiry) healthy(ctx context.Context) (map[asset.Digest]time.Time, error) {
	all := map[asset.Digest]time.Time{}
	for _, namespace := range q.Policy.After {
		there, err := q.Healthy(ctx, namespace)
		if err != nil {
			return nil, fmt.Errorf("what runs on %s: %w", namespace, err)
		}
		for digest, since := range there {
			if known, ok := all[digest]; !ok || since.Before(known) {
				all[digest] = since
			}
		}
	}
	return all, nil
}
