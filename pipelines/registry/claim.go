package registry

import (
	"context"
	"regexp"
	"time"

	"github.com/google/go-containerregistry/pkg/name"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry/wire"
)

// Two runners may release one tag at once, and in a registry the last writer of a
// tag wins. So each runner first announces what it is about to write, by a tag
// "claim-<version>-<its record's digest>", and only then looks for the claims of
// others: of two runners, at least one sees the other. A runner that sees no
// other claim goes on; one that does waits until the other had time to seal.
// Claims stay, as few registries delete tags; a later run with other content
// waits once for a runner that died.

// turn claims a release, whose record is in the registry by its digest, and
// returns when we may seal it. It reports whether it had to wait, in which case
// another runner may have sealed it.
func (r *Registry) turn(
	ctx context.Context, rec *record.Record, ref asset.Ref, ours asset.Digest,
) (waited bool, err error) {
	tag, err := name.NewTag(string(ref), name.StrictValidation)
	if err != nil {
		return false, badRef(ref, err)
	}
	repo := tag.Context()
	claim := "claim-" + tag.TagStr() + "-" + string(ours[len("sha256:"):][:16])
	if err := r.writeTag(ctx, asset.Ref(repo.Tag(claim).String()), ref.At(ours)); err != nil {
		return false, err
	}
	tags, err := r.puller.List(ctx, repo)
	if err != nil {
		return false, r.fault("listing", ref, err)
	}
	rivals, before := rivals(tags, tag.TagStr(), claim)
	if rivals == 0 {
		return false, nil
	}
	// Rivals that see each other go one after the other, in the claims' order.
	each := r.settle + time.Duration(len(rec.Artifacts))*100*time.Millisecond
	return true, wire.Sleep(ctx, time.Duration(before+1)*each)
}

// rivals returns how many claims of a version are not ours, and how many of them
// sort before ours.
func rivals(tags []string, version, ours string) (all, before int) {
	claim := regexp.MustCompile(`^claim-` + regexp.QuoteMeta(version) + `-[0-9a-f]{16}$`)
	for _, t := range tags {
		if t == ours || !claim.MatchString(t) {
			continue
		}
		all++
		if t < ours {
			before++
		}
	}
	return all, before
}
