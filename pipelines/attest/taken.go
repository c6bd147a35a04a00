package attest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// maxOrigins is from how many releases tests may have been taken: of a record that nobody
// signed, whoever wrote it decides how many are read for it.
const maxOrigins = 1000

// Taken reads the records of the releases that a release has taken tests from, each
// as Read does, and checks that it is the one that the tests name and that it ran
// them. A test names the release that ran it, not one that took it in between: so
// there is one step to follow, and a release in between may be gone. Taken returns
// the records that could be trusted, and joins what is wrong.
func Taken(ctx context.Context, reg *registry.Registry, trusted Trusted, rec *record.Record) ([]*Release, error) {
	origins := rec.Origins()
	if len(origins) > maxOrigins {
		return nil, untaken(rec, fmt.Errorf(
			"tests were taken from %d other releases, and %d at most are read", len(origins), maxOrigins,
		))
	}
	found := make([]*Release, len(origins))
	err := step.EachIndex(ctx, parallel, len(origins), func(ctx context.Context, i int) (err error) {
		found[i], err = origin(ctx, reg, trusted, rec, origins[i])
		return untaken(rec, err)
	})
	return slices.DeleteFunc(found, func(r *Release) bool { return r == nil }), err
}

// origin reads a release that tests were taken from.
func origin(
	ctx context.Context, reg *registry.Registry, trusted Trusted, rec *record.Record, from record.Origin,
) (*Release, error) {
	found, err := Read(ctx, reg, trusted, from.Release.Asset, from.Release.Version, "")
	if err != nil {
		return nil, gone(fmt.Sprintf("the record of %s, from which tests were taken,", from.Release), err)
	}
	if found.Digest != from.Record {
		return nil, fmt.Errorf("tests were taken from the record %s of %s, which has the record %s now",
			from.Record.Short(), from.Release, found.Digest.Short())
	}
	var faults []error
	taken := map[string]bool{}
	for _, t := range rec.TakenFrom(from) {
		taken[t.Of+" "+t.Name] = true
		if !found.Record.Ran(t) {
			faults = append(faults, fmt.Errorf("the %s of %s was not run so by %s", t.Name, t.Of, from.Release))
		}
	}
	// What else is in it is not kept: these records are as many and as large as somebody likes.
	found.Record = &record.Record{
		Asset: found.Record.Asset, Version: found.Record.Version, Tag: found.Record.Tag,
		Checks: slices.DeleteFunc(found.Record.Checks, func(own record.Test) bool {
			return !taken[own.Of+" "+own.Name]
		}),
	}
	return found, errors.Join(faults...)
}

// Ran reports whether a test that was taken is in the record that it names, which is
// one of those that Taken returned.
func Ran(found []*Release, t record.Test) bool {
	return slices.ContainsFunc(found, func(r *Release) bool { return r.Digest == t.From.Record && r.Record.Ran(t) })
}

// untaken is the error of tests that a release should not have taken.
func untaken(rec *record.Record, err error) error {
	const fix = "do not promote it; tag another version and release that with --all, which boots every IOC"
	return refuse(rec.Asset, rec.Version, err, fix)
}
