package release

import (
	"context"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/version"
)

// taking returns a release of an image, if its modules may be taken: if a signer signed
// it whom this release trusts. Where nobody is named, nothing is taken, as whoever may
// write to the registry could put something there. What can't be read or trusted is no
// error of this release: a line of progress says why, and all is built.
func (j *job) taking(
	ctx context.Context, read func(context.Context) (*attest.Release, error),
) *image.Former {
	if j.All || j.Trusted == nil {
		return nil
	}
	found, err := read(ctx)
	if err != nil {
		j.say(ctx, "planning", "every module is built: ", err)
	}
	if err != nil || found == nil {
		return nil
	}
	return &image.Former{Record: found.Record, Origin: found.Origin()}
}

// formerOf returns a release of an image of the tree, if its modules may be taken: the
// one that is named, which the images above it are built on; or else the newest.
func (j *job) formerOf(ctx context.Context, pin asset.Pin) *image.Former {
	return j.taking(ctx, func(ctx context.Context) (*attest.Release, error) {
		if j.Registry == nil {
			return nil, nil
		}
		versions, err := j.Registry.Records(ctx, pin.Asset)
		if err != nil || len(versions) == 0 {
			return nil, err
		}
		if !slices.Contains(versions, pin.Version) {
			if pin.Version, err = newest(versions); err != nil {
				return nil, err
			}
		}
		return attest.Read(ctx, j.Registry, j.Trusted, pin.Asset, pin.Version, "")
	})
}

// newest returns the newest of versions.
func newest(versions []asset.Version) (asset.Version, error) {
	var list []version.Dated
	for _, v := range versions {
		list = append(list, version.Dated{Version: v})
	}
	return version.Latest(list)
}

// fromTree builds an image of the tree in the place of its release, with the modules that
// a release has built of the same.
func (j *job) fromTree(ctx context.Context, pin asset.Pin) (*image.Image, error) {
	return j.build(ctx, j.files, pin, j.formerOf)
}
