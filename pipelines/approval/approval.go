// Package approval keeps the approvals of promotions: signed statements about one
// release's record, for one beamline under one policy, attached to the record in
// its registry.
package approval

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// The kinds of statement, by the type of their predicate.
const (
	// Kind is an approval, or an override.
	Kind = "https://github.com/tagline-ci/tagline/approval/v1"
	// Revocation ends an approval.
	Revocation = "https://github.com/tagline-ci/tagline/revocation/v1"
)

// Approval is the predicate of an approval. The record that it approves is the
// subject of the statement.
type Approval struct {
	ID       string    `json:"id"` // of this approval alone
	Beamline string    `json:"beamline"`
	Version  string    `json:"version"` // for people: the record's digest is what counts
	Policy   string    `json:"policy"`  // digest of the policy under which it was given
	From     time.Time `json:"from"`
	Until    time.Time `json:"until"`
	Override string    `json:"override,omitempty"` // the reason, where it overrides the policy
}

// revoked is the predicate of a revocation.
type revoked struct {
	ID   string    `json:"id"` // of the approval
	From time.Time `json:"from"`
}

// Statement is an approval as it was found, with its signer. Nothing of it is
// trusted before Judge accepted it.
type Statement struct {
	Approval
	Signer  string `json:"signer"` // as sign.SignedBy has it
	subject string
	signed  []byte
}

// Give signs an approval of the record at ref, "host/path/records/bl01t@sha256:…",
// and attaches it. It sets the approval's ID.
func Give(ctx context.Context, reg *registry.Registry, by sign.Signer, ref asset.Ref, a Approval) (*Approval, error) {
	a.ID = rand.Text()
	if !a.Until.After(a.From) {
		return nil, &diag.Error{
			Kind: diag.Invalid, Doing: "approving", Asset: a.Beamline, Version: a.Version,
			Err: errors.New("it would end before it begins"), Fix: "give a length of time with --until, as in 24h",
		}
	}
	return &a, attach(ctx, reg, by, ref, Kind, a)
}

// Revoke signs and attaches the end of an approval of the record at ref.
func Revoke(
	ctx context.Context, reg *registry.Registry, by sign.Signer, ref asset.Ref, id string, now time.Time,
) error {
	return attach(ctx, reg, by, ref, Revocation, revoked{id, now})
}

func attach(
	ctx context.Context, reg *registry.Registry, by sign.Signer, ref asset.Ref, kind string, predicate any,
) error {
	signed, err := by.Sign(ctx, sign.Statement{
		Name: "record", Digest: string(ref.Digest()), Kind: kind, Predicate: predicate,
	})
	if err != nil {
		return err
	}
	return reg.Attach(ctx, ref, registry.Attachment{Media: sign.MediaType, Kind: kind, Body: signed})
}

// Found is everything about approvals that is attached to one record.
type Found struct {
	Approvals   []Statement
	Revocations [][]byte // signed
}

// ids are the IDs that Give makes.
var ids = regexp.MustCompile(`^[A-Z2-7]{1,64}$`)

// Find reads what is attached to the record at ref. What can't be read as an
// approval is passed over: it can't count.
func Find(ctx context.Context, reg *registry.Registry, ref asset.Ref) (*Found, error) {
	list, err := reg.Attached(ctx, ref, sign.MediaType, Kind)
	if err != nil {
		return nil, fmt.Errorf("reading approvals: %w", err)
	}
	f := &Found{}
	for _, signed := range list {
		s := Statement{Signer: sign.SignedBy(signed), subject: sign.Subject(signed), signed: signed}
		if text := sign.Predicate(signed); json.Unmarshal(text, &s.Approval) == nil && ids.MatchString(s.ID) {
			f.Approvals = append(f.Approvals, s)
		}
	}
	if f.Revocations, err = reg.Attached(ctx, ref, sign.MediaType, Revocation); err != nil {
		return nil, fmt.Errorf("reading revocations: %w", err)
	}
	return f, nil
}
