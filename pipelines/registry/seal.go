package registry

import (
	"context"
	"fmt"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry/content"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Seal makes the release that rec describes: it checks that everything rec names
// is in the registry, writes the artifacts' tags, and pushes the record, last of
// all. It returns the record's digest, "sha256:…".
//
// A release that is sealed with the same record is left as it is. One that is
// sealed with another is an error of kind Refused, which shows both digests. Tags
// of an unfinished run are moved.
func (r *Registry) Seal(ctx context.Context, rec *record.Record) (asset.Digest, error) {
	img, err := content.Record(rec)
	if err != nil {
		return "", err
	}
	h, err := img.Digest()
	if err != nil {
		return "", fmt.Errorf("reading digest of the record: %w", err)
	}
	ref, ours := r.Ref(recordName(rec.Asset), rec.Version), asset.Digest(h.String())
	if done, err := r.sealed(ctx, ref, ours); done || err != nil {
		return ours, err
	}
	if err := step.Each(ctx, jobs, r.named(rec), r.mustExist); err != nil {
		return "", err
	}
	if _, err := r.push(ctx, ref.Repository(), img); err != nil {
		return "", err
	}
	waited, err := r.turn(ctx, rec, ref, ours)
	if err != nil {
		return "", err
	}
	if waited {
		if done, err := r.sealed(ctx, ref, ours); done || err != nil {
			return ours, err
		}
	}
	if err := r.tagAll(ctx, rec); err != nil {
		return "", err
	}
	if err := r.tag(ctx, record.Artifact{Ref: ref, Digest: ours}); err != nil {
		return "", err
	}
	return ours, nil
}

// sealed reports whether the release at ref is sealed with our record. It is an
// error of kind Refused when it is sealed with another.
func (r *Registry) sealed(ctx context.Context, ref asset.Ref, ours asset.Digest) (bool, error) {
	there, err := r.head(ctx, ref)
	if err != nil || there == nil {
		return false, err
	}
	if there.Digest.String() != string(ours) {
		return false, &diag.Error{
			Kind:  diag.Refused,
			Doing: "sealing",
			Asset: string(ref),
			Err: fmt.Errorf(
				"it is released already with other content: its record is %s, this one is %s",
				there.Digest,
				ours,
			),
			Fix: "a release never changes: tag a new version",
		}
	}
	return true, nil
}

// named returns the addresses, by digest, of everything in rec that must be in
// this registry. The container image at the root may be elsewhere.
func (r *Registry) named(rec *record.Record) []asset.Ref {
	var refs []asset.Ref
	for _, a := range rec.Artifacts {
		refs = append(refs, a.Pinned())
	}
	for _, i := range rec.Instances {
		if refs = append(refs, i.Chart); i.Service == "" { // whose images may be elsewhere
			refs = append(refs, i.Image)
		}
	}
	for _, p := range rec.Parents.Releases {
		if r.Has(p.Ref) {
			refs = append(refs, p.Ref)
		}
	}
	slices.Sort(refs)
	return slices.Compact(refs)
}

// mustExist checks that ref is in the registry, pushed now or earlier.
func (r *Registry) mustExist(ctx context.Context, ref asset.Ref) error {
	if _, ok := r.pushed.Load(ref); ok {
		return nil
	}
	d, err := r.head(ctx, ref)
	if err == nil && d == nil {
		return &diag.Error{
			Kind:  diag.Broken,
			Doing: "sealing",
			Err:   fmt.Errorf("the record names %s, which is not in the registry", ref),
			Fix:   "run the release again, which pushes what is missing",
		}
	}
	return err
}

func (r *Registry) tagAll(ctx context.Context, rec *record.Record) error {
	list := map[asset.Ref]record.Artifact{}
	var refs []asset.Ref
	for _, a := range rec.Artifacts {
		list[a.Ref] = a
		refs = append(refs, a.Ref)
	}
	return step.Each(ctx, jobs, refs, func(ctx context.Context, ref asset.Ref) error { return r.tag(ctx, list[ref]) })
}
