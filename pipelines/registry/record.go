package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/version"
)

// Record pulls the record of an asset at v, and returns it with its digest,
// "sha256:…". The error is of kind Invalid when there is no such release, and of
// kind Refused when the record is that of another.
func (r *Registry) Record(ctx context.Context, n asset.Name, v asset.Version) (*record.Record, asset.Digest, error) {
	digest, err := r.RecordDigest(ctx, n, v)
	if err != nil {
		return nil, "", err
	}
	rec, err := r.RecordAt(ctx, n, v, digest)
	return rec, digest, err
}

// RecordDigest returns the digest that a release's record has now, without
// reading the record. Errors are those of Record.
func (r *Registry) RecordDigest(ctx context.Context, n asset.Name, v asset.Version) (asset.Digest, error) {
	there, err := r.head(ctx, r.Ref(recordName(n), v))
	if err != nil {
		return "", err
	}
	if there == nil {
		return "", &diag.Error{
			Kind: diag.Invalid, Doing: "reading record of", Asset: string(n), Version: v.String(),
			Err: notReleased{asset.Pin{Asset: n, Version: v}, r.prefix},
			Fix: "release it first, or mend the version",
		}
	}
	return asset.Digest(there.Digest.String()), nil
}

// notReleased is the cause of the error about a release that is not there.
type notReleased struct {
	pin    asset.Pin
	prefix string
}

func (e notReleased) Error() string {
	return fmt.Sprintf("no such release, %v %s", ErrNotFound, e.prefix)
}

// Is lets callers ask whether it is ErrNotFound.
func (notReleased) Is(target error) bool { return target == ErrNotFound }

// Meant returns err, and adds to it the versions that may have been meant where it says
// that an asset has no release at v. The registry is asked only then. It is for a version
// that a person gave: where a release is rightly not there, nobody needs others.
func (r *Registry) Meant(ctx context.Context, n asset.Name, v asset.Version, err error) error {
	var cause notReleased
	if !errors.As(err, &cause) || cause.pin != (asset.Pin{Asset: n, Version: v}) {
		return err
	}
	released, listing := r.Records(ctx, n)
	if listing != nil || len(released) == 0 {
		return err // which says enough
	}
	var names []string
	for _, m := range version.Meant(v, released) {
		names = append(names, m.String())
	}
	return &diag.Error{
		Kind: diag.Invalid, Doing: "reading record of", Asset: string(n), Version: v.String(), Err: cause,
		Fix: "release it first, or name one that is released: " + strings.Join(names, ", "),
	}
}

// RecordAt pulls the record with a digest, whatever its tag names now. It is an
// error of kind Refused when it is not the record of the asset at v.
func (r *Registry) RecordAt(
	ctx context.Context, n asset.Name, v asset.Version, digest asset.Digest,
) (*record.Record, error) {
	ref := r.RecordRef(n, digest)
	body, err := r.pull(ctx, ref, record.MediaType)
	if err != nil {
		return nil, err
	}
	rec, err := record.Read(body)
	if err == nil && (rec.Asset != n || rec.Version != v) {
		err = fmt.Errorf("it is the record of %s %s", rec.Asset, rec.Version)
	}
	if err != nil {
		return nil, &diag.Error{
			Kind: diag.Refused, Doing: "reading record", Asset: string(ref), Err: err,
			Fix: "find out who wrote it, as Tagline did not",
		}
	}
	return rec, nil
}

// Records returns the released versions of an asset, newest first as far as the
// versions' own order goes. It returns none for an asset that was never released.
func (r *Registry) Records(ctx context.Context, n asset.Name) ([]asset.Version, error) {
	ref := asset.Ref(r.prefix + "/" + recordName(n))
	repo, err := name.NewRepository(string(ref), name.StrictValidation)
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
	var list []asset.Version
	for _, tag := range tags { // some are no versions: claims, and lists of referrers
		if v, err := asset.VersionOfOCITag(tag); err == nil {
			list = append(list, v)
		}
	}
	return newestFirst(list), nil
}
