package registry

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/tagline-ci/tagline/pipelines/asset"
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

// Attached returns the attachments of one media type and kind that refer to the
// manifest at ref, which is by digest. There may be any number of them, from
// anybody who may write there.
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
	var found [][]byte
	for _, d := range list.Manifests {
		body, err := r.attachment(ctx, digest.Context().Digest(d.Digest.String()), media, kind)
		if errors.Is(err, errOther) {
			continue
		}
		if err != nil {
			return nil, err
		}
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

func (r *Registry) attachment(ctx context.Context, ref name.Digest, media, kind string) ([]byte, error) {
	d, err := r.puller.Get(ctx, ref)
	if err != nil {
		return nil, r.unread(ctx, "pulling", asset.Ref(ref.String()), err)
	}
	if d.MediaType.IsIndex() {
		return nil, errOther
	}
	img, err := d.Image()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errOther, err)
	}
	if !content.IsAttachment(img, media, kind) {
		return nil, errOther
	}
	body, err := content.OnlyLayer(img, media)
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
