package registry

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/version"
)

// Record pulls the record of asset at v, and returns it with its digest,
// "sha256:…". The error is of kind Invalid when there is no such release, and of
// kind Refused when the record is that of another.
func (r *Registry) Record(ctx context.Context, asset string, v version.Version) (*record.Record, string, error) {
	ref := r.Ref("records/"+asset, v)
	tag, err := name.NewTag(ref, name.StrictValidation)
	if err != nil {
		return nil, "", badRef(ref, err)
	}
	there, err := r.head(ctx, ref)
	if err != nil {
		return nil, "", err
	}
	if there == nil {
		return nil, "", &diag.Error{
			Kind:    diag.Invalid,
			Doing:   "reading record of",
			Asset:   asset,
			Version: v.String(),
			Err: fmt.Errorf(
				"no such release, %w %s",
				ErrNotFound,
				r.prefix,
			),
			Fix: "release it first, or mend the version",
		}
	}
	digest := there.Digest.String()
	body, err := r.pull(ctx, tag.Context().Digest(digest).String(), record.MediaType)
	if err != nil {
		return nil, "", err
	}
	rec, err := record.Read(body)
	if err == nil && (rec.Asset != asset || rec.Version != v.String()) {
		err = fmt.Errorf("it is the record of %s %s", rec.Asset, rec.Version)
	}
	if err != nil {
		return nil, "", &diag.Error{
			Kind:  diag.Refused,
			Doing: "reading record",
			Asset: ref,
			Err:   err,
			Fix:   "find out who wrote it, as Tagline did not",
		}
	}
	return rec, digest, nil
}

// Records returns the released versions of asset, newest first as far as the
// versions' own order goes. It returns none for an asset that was never released.
func (r *Registry) Records(ctx context.Context, asset string) ([]version.Version, error) {
	ref := r.prefix + "/records/" + asset
	repo, err := name.NewRepository(ref, name.StrictValidation)
	if err != nil {
		return nil, badRef(ref, err)
	}
	tags, err := r.puller.List(ctx, repo)
	if isNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, r.fault("listing", ref, err)
	}
	var list []version.Version
	for _, tag := range tags { // some are no versions: claims, and lists of referrers
		if v, err := version.FromOCITag(tag); err == nil {
			list = append(list, v)
		}
	}
	return newestFirst(list), nil
}
