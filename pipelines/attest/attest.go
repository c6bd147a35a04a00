// Package attest signs a release before it is sealed, and verifies it after:
// each image has an SBOM and a provenance, and the record a statement that binds
// it to its tag.
package attest

import (
	"context"
	"fmt"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// Signer signs releases in one registry.
type Signer struct {
	Registry   *registry.Registry
	By         sign.Signer
	Repository string // URL of the tagged git repository, for the provenance; empty when unknown
}

// Images attaches to every image of a release its SBOM and its provenance,
// signed. sboms are SPDX documents by the digest of their image, "sha256:…".
// The images must be in the registry. A statement that is attached already is
// left alone: the SBOM of another release that has the same image, and the provenance
// of this release from a run before.
func (s Signer) Images(ctx context.Context, rec *record.Record, sboms map[asset.Digest]any) error {
	for _, a := range rec.Artifacts {
		if a.Type != record.ImageType {
			continue
		}
		doc, ok := sboms[a.Digest]
		if !ok {
			return fmt.Errorf("signing %s %s: it has no SBOM", a.Name, rec.Version)
		}
		about := sign.Statement{Name: a.Name, Digest: string(a.Digest), Kind: sign.SBOM, Predicate: doc}
		if err := s.attach(ctx, sought{ref: a.Pinned(), kind: about.Kind, tag: rec.Tag}, about); err != nil {
			return err
		}
		about.Kind, about.Predicate = sign.Provenance, provenance(rec, a, s.Repository)
		want := sought{ref: a.Pinned(), kind: about.Kind, tag: rec.Tag, commit: rec.Commit}
		if err := s.attach(ctx, want, about); err != nil {
			return err
		}
	}
	return nil
}

// Record pushes a record without a tag and attaches its signature, so that the
// record is signed when sealing makes it visible.
func (s Signer) Record(ctx context.Context, rec *record.Record) error {
	ref, err := s.Registry.PushRecord(ctx, rec)
	if err != nil {
		return err
	}
	return s.attach(ctx, sought{ref: ref, kind: sign.Release, tag: rec.Tag}, sign.Statement{
		Name: rec.Tag.String(), Digest: string(ref.Digest()), Kind: sign.Release, Predicate: releaseOf(rec),
	})
}

// Derived attaches a signature to what was made from the release of a tag, and is no
// release itself: ref is its manifest, by digest. Whoever delivers it can check whose it
// is, with cosign or Flux. One of ours that is attached already is left alone.
func (s Signer) Derived(ctx context.Context, ref asset.Ref, tag asset.Tag) error {
	return s.attach(ctx, sought{ref: ref, kind: sign.Signature, tag: tag}, sign.Statement{
		Name: tag.String(), Digest: string(ref.Digest()), Kind: sign.Signature, Predicate: struct{}{},
	})
}

// attach signs a statement, unless one of ours that is sought is attached already.
func (s Signer) attach(ctx context.Context, want sought, what sign.Statement) error {
	ours, err := s.By.Trust(ctx)
	if err != nil {
		return err
	}
	found, _, err := search(ctx, s.Registry, []*sign.Trust{ours}, want)
	if err != nil || found != nil {
		return err
	}
	signed, err := s.By.Sign(ctx, what)
	if err != nil {
		return err
	}
	return s.Registry.Attach(ctx, want.ref, registry.Attachment{Media: sign.MediaType, Kind: what.Kind, Body: signed})
}

// release is the predicate of a record's statement.
type release struct {
	Asset   asset.Name    `json:"asset"`
	Version asset.Version `json:"version"`
	Tag     asset.Tag     `json:"tag"`
	Commit  string        `json:"commit"`
}

func releaseOf(r *record.Record) release { return release{r.Asset, r.Version, r.Tag, r.Commit} }
