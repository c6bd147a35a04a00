package release

import (
	"context"
	"fmt"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/step"
	"github.com/tagline-ci/tagline/pipelines/version"
)

// evidence is the boots that the release before has shown, each with the release that
// ran it.
type evidence []record.Test

// test returns the boot of an instance with the same inputs.
func (e evidence) test(name string, image, inputs asset.Digest) (record.Test, bool) {
	i := slices.IndexFunc(e, func(t record.Test) bool {
		return inputs != "" && t.Inputs == inputs && t.Of == name && t.Digest == image
	})
	if i < 0 {
		return record.Test{}, false
	}
	return e[i], true
}

// evidence returns what the release before has shown, as far as it is trusted by the
// signers that are trusted with what this release runs. What can't be read or trusted
// is no error of this release: a line of progress says why, and it is booted.
func (b *beamlineJob) evidence(ctx context.Context) evidence {
	if b.All || b.inTree {
		return nil
	}
	before := b.former
	if b.formerErr != nil {
		b.say(ctx, "testing", "every IOC is booted: ", b.formerErr)
	}
	if before == nil {
		return nil
	}
	var all evidence
	ran := before.Origin()
	taken, err := attest.Taken(ctx, b.Registry, b.Trusted, before.Record)
	if err != nil {
		b.say(ctx, "testing", "IOCs are booted again: ", err)
	}
	for _, t := range before.Record.Checks {
		switch {
		case t.Name != record.BootTest && t.Name != record.ServiceTest || t.Inputs == "" || !t.Passed:
			continue
		case t.From == nil:
			t.From = &ran
		case !attest.Ran(taken, t):
			continue
		}
		all = append(all, t)
	}
	return all
}

// before returns the record of the asset's release before this one, verified; nil for
// the first.
func (j *job) before(ctx context.Context) (*attest.Release, error) {
	if j.Registry == nil {
		return nil, nil
	}
	pin := j.plan.Tag.Pin()
	versions, err := j.Registry.Records(ctx, pin.Asset)
	if err != nil {
		return nil, err
	}
	list := []version.Dated{{Version: pin.Version}}
	for _, v := range versions {
		if v != pin.Version {
			list = append(list, version.Dated{Version: v})
		}
	}
	before := version.Previous(list, pin.Version)
	if before.IsZero() {
		return nil, nil
	}
	return attest.Read(ctx, j.Registry, j.Trusted, pin.Asset, before, "")
}

// say shows a line of progress of a step for each fault.
func (j *job) say(ctx context.Context, doing, what string, err error) {
	for _, fault := range diag.All(err) {
		step.Say(ctx, doing+" "+j.tag.String(), what+fault.Error())
	}
}

// sayTaken shows how many boots were taken, and from which releases.
func (b *beamlineJob) sayTaken(ctx context.Context, tests []record.Test) {
	taken := record.Record{Checks: tests}
	for _, o := range taken.Origins() {
		step.Say(ctx, "testing "+b.tag.String(), fmt.Sprintf(
			"%d of %d IOCs: tested by %s", len(taken.TakenFrom(o)), len(tests), o.Release,
		))
	}
}
