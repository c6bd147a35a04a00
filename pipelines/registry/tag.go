package registry

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// tag points the artifact's tag to its digest, wherever it pointed before. It
// reads the tag back, because in a registry the last writer wins.
func (r *Registry) tag(ctx context.Context, a record.Artifact) error {
	there, err := r.head(ctx, a.Ref)
	if err != nil {
		return err
	}
	if there != nil && there.Digest.String() == string(a.Digest) {
		return nil
	}
	if err := r.writeTag(ctx, a.Ref, a.Pinned()); err != nil {
		return err
	}
	got, err := r.Digest(ctx, a.Ref)
	if err != nil {
		return err
	}
	if got != a.Digest {
		return moved(a.Ref, got, a.Digest)
	}
	return nil
}

// writeTag points the tag to the digest.
func (r *Registry) writeTag(ctx context.Context, tag, digest asset.Ref) error {
	to, err := name.NewTag(string(tag), name.StrictValidation)
	if err != nil {
		return badRef(tag, err)
	}
	from, err := name.NewDigest(string(digest), name.StrictValidation)
	if err != nil {
		return badRef(digest, err)
	}
	manifest, err := r.manifest(ctx, from)
	if err != nil {
		return err
	}
	if err := r.pusher.Put(ctx, to, manifest); err != nil {
		return r.fault("tagging", tag, err)
	}
	return nil
}

// manifest returns the manifest with the digest, from memory when we pushed it.
func (r *Registry) manifest(ctx context.Context, digest name.Digest) (remote.Taggable, error) {
	if img, ok := r.pushed.Load(asset.Ref(digest.String())); ok {
		return img.(v1.Image), nil
	}
	d, err := r.puller.Get(ctx, digest)
	if isNotFound(err) {
		return nil, missing(asset.Ref(digest.String()))
	}
	if err != nil {
		return nil, r.fault("looking for", asset.Ref(digest.String()), err)
	}
	return d, nil
}

func moved(ref asset.Ref, there, ours asset.Digest) error {
	return &diag.Error{Kind: diag.Refused, Doing: "publishing", Asset: string(ref),
		Err: fmt.Errorf("another release wrote this tag at the same time: it is %s, ours is %s", there, ours),
		Fix: "see which of the two is wanted, then release once more"}
}
