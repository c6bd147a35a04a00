package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/registry/content"
)

// Attachment is a signed statement about something in a registry.
type Attachment struct {
	Media string // its media type
	Kind  string // of the statement: the type of its predicate
	Body  []byte
}

// Attach pushes an attachment that refers to the manifest at ref,
// "host/path/name@sha256:…", which stays as it is. Attachments of one manifest
// must be pushed one after the other: registries without a referrers API keep
// their list in a tag.
func (r *Registry) Attach(ctx context.Context, ref asset.Ref, a Attachment) error {
	subject, err := r.head(ctx, ref)
	if err != nil {
		return err
	}
	if subject == nil {
		return missing(ref)
	}
	img, err := content.Attachment(*subject, a.Media, a.Kind, a.Body)
	if err != nil {
		return err
	}
	digest, err := name.NewDigest(string(ref), name.StrictValidation)
	if err != nil {
		return badRef(ref, err)
	}
	_, err = r.push(ctx, digest.Context().String(), img)
	return err
}

// What is read of the attachments of one manifest: how many there may be of all kinds, and
// how many bytes those of one kind may have. An image that some hundred releases share has
// a provenance of each, of some kilobytes; an SBOM has some megabytes.
const (
	maxAttached      = 1000
	maxAttachedBytes = 64 << 20
)

// tooMuch is the error of more attachments than are read.
func (r *Registry) tooMuch(ref asset.Ref, format string, args ...any) error {
	return &diag.Error{
		Kind: diag.Refused, Doing: "looking for signatures of", Asset: string(ref), Err: fmt.Errorf(format, args...),
		Fix: "find out who attached them, and delete those from the registry: oras discover " + string(ref) +
			"; or release a new version",
	}
}

// Attached returns the attachments of one media type and kind that refer to the
// manifest at ref, which is by digest. Anybody who may write there can add some: the
// error is of kind Refused where there are more than a release ever has.
func (r *Registry) Attached(ctx context.Context, ref asset.Ref, media, kind string) ([][]byte, error) {
	if err := r.ours(ref); err != nil {
		return nil, err
	}
	digest, err := name.NewDigest(string(ref), name.StrictValidation)
	if err != nil {
		return nil, badRef(ref, err)
	}
	if err := r.wholeList(ctx, digest); err != nil {
		return nil, err
	}
	options := append([]remote.Option{remote.WithContext(ctx), remote.Reuse(r.puller)}, r.options...)
	index, err := remote.Referrers(digest, options...)
	if err != nil {
		return nil, r.fault("looking for signatures of", ref, err)
	}
	list, err := index.IndexManifest()
	if err != nil {
		return nil, r.fault("looking for signatures of", ref, err)
	}
	if n := len(list.Manifests); n > maxAttached {
		return nil, r.tooMuch(
			ref, "the registry offers %d attachments of it, and %d at most are looked at", n, maxAttached,
		)
	}
	var found [][]byte
	left := int64(maxAttachedBytes)
	for _, d := range list.Manifests {
		body, err := r.attachment(ctx, digest.Context().Digest(d.Digest.String()), media, kind, left)
		switch {
		case errors.Is(err, errOther):
			continue
		case errors.Is(err, content.ErrTooLarge):
			return nil, r.tooMuch(
				ref, "its attachments of kind %s have more than the %d bytes that are read: %s", kind,
				maxAttachedBytes, d.Digest,
			)
		case err != nil:
			return nil, err
		}
		left -= int64(len(body))
		found = append(found, body)
	}
	return found, nil
}

// wholeList checks that the list of attachments in a registry without a referrers
// API is what was pushed: only a tag names that list, so no digest protects it.
func (r *Registry) wholeList(ctx context.Context, subject name.Digest) error {
	tag := subject.Context().Tag(strings.Replace(subject.DigestStr(), ":", "-", 1))
	there, err := r.head(ctx, asset.Ref(tag.String()))
	if err != nil || there == nil {
		return err
	}
	if _, err = r.puller.Get(ctx, subject.Context().Digest(there.Digest.String())); err != nil {
		return r.unread(ctx, "pulling", asset.Ref(tag.String()), err)
	}
	return nil
}

// errOther is the error of an attachment of another media type or kind.
var errOther = errors.New("another kind of attachment")

// attachment returns the body of one attachment; limit is how many bytes it may have.
func (r *Registry) attachment(
	ctx context.Context, ref name.Digest, media, kind string, limit int64,
) ([]byte, error) {
	d, err := r.puller.Get(ctx, ref)
	if err != nil {
		return nil, r.unread(ctx, "pulling", asset.Ref(ref.String()), err)
	}
	img, err := single(d)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errOther, err)
	}
	if !content.IsAttachment(img, media, kind) {
		return nil, errOther
	}
	body, err := content.OnlyLayer(img, media, limit)
	if errors.Is(err, content.ErrTooLarge) {
		return nil, err
	}
	if err != nil {
		return nil, r.unread(ctx, "pulling", asset.Ref(ref.String()), err)
	}
	return body, nil
}

// Intact pulls the manifest at ref and all its blobs, checks each against its
// digest, and returns how many bytes were read.
func (r *Registry) Intact(ctx context.Context, ref asset.Ref) (int64, error) {
	img, err := r.imageAt(ctx, ref)
	if err != nil {
		return 0, err
	}
	n, err := content.ReadAll(img)
	if err != nil {
		return 0, r.unread(ctx, "checking", ref, err)
	}
	return n, nil
}
