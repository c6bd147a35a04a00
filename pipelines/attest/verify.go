package attest

import (
	"context"
	"errors"
	"fmt"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/sign"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// Report is what was seen to be right in a release.
type Report struct {
	Asset   asset.Name    `json:"asset"`
	Version asset.Version `json:"version"`
	Record  asset.Digest  `json:"record"` // its digest
	Signer  string        `json:"signer"` // who signed it
	Things  []Thing       `json:"things"` // in the record's order
	// The releases that ran tests which this one has taken; of each the record is verified.
	Tested []Tested `json:"tested,omitempty"`
	// The releases that this one is built on or runs, each verified as a whole.
	Parents []*Report `json:"parents,omitempty"`
}

// Thing is one artifact of a verified release.
type Thing struct {
	Name   string    `json:"name"`
	Ref    asset.Ref `json:"ref"`   // by digest
	Bytes  int64     `json:"bytes"` // that were read and are what the digests say
	Signed []string  `json:"signed,omitempty"`
}

// Tested is a release that ran tests which another has taken.
type Tested struct {
	Release asset.Tag    `json:"release"` // "bl45p/2026.11.1"
	Record  asset.Digest `json:"record"`  // its digest
	Signer  string       `json:"signer"`  // who signed it
	Tests   int          `json:"tests"`   // that were taken
}

// Verify checks a release from its record down to each blob: that a trusted
// signer signed the record as that of this release, that the record names only
// its own registry, that every tag names what the record says, that every blob is
// what its digest says, that every image has a signed SBOM and provenance of the
// record's commit, and all of this for the releases it is built on. Of the releases
// that tests were taken from, the record is checked, and that it has them. The error
// joins all faults, each of kind Refused. A release whose record is not to be
// trusted is not read further.
func Verify(
	ctx context.Context, reg *registry.Registry, trusted Trusted, name asset.Name, v asset.Version,
) (*Report, error) {
	c := checker{reg: reg, trusted: trusted, done: map[asset.Tag]*Report{}}
	report, err := c.release(ctx, asset.Tag{Asset: name, Version: v})
	return report, reg.Meant(ctx, name, v, err)
}

// parallel is how many artifacts or images are read at a time.
const parallel = 4

// checker verifies releases, each once.
type checker struct {
	reg     *registry.Registry
	trusted Trusted
	done    map[asset.Tag]*Report
}

// release verifies one release and then its parents.
func (c *checker) release(ctx context.Context, tag asset.Tag) (*Report, error) {
	if known, ok := c.done[tag]; ok {
		return known, nil
	}
	sealed, err := Read(ctx, c.reg, c.trusted, tag.Asset, tag.Version, "")
	if err != nil {
		return nil, err
	}
	rec := sealed.Record
	report := &Report{
		Asset: tag.Asset, Version: tag.Version, Record: sealed.Digest, Signer: sealed.Signer,
		Things: make([]Thing, len(rec.Artifacts)),
	}
	c.done[tag] = report
	err = step.EachIndex(ctx, parallel, len(rec.Artifacts), func(ctx context.Context, i int) (err error) {
		report.Things[i], err = c.artifact(ctx, rec, rec.Artifacts[i])
		return err
	})
	faults := []error{err, runsParents(ctx, c.reg, rec)}
	for _, p := range rec.Parents.Releases {
		parent, err := c.parent(ctx, p)
		faults = append(faults, err)
		if parent != nil {
			report.Parents = append(report.Parents, parent)
		}
	}
	faults = append(faults, c.tested(ctx, rec, report))
	return report, distrust(rec.Asset, rec.Version, errors.Join(faults...))
}

// tested verifies the tests that a release has taken from others.
func (c *checker) tested(ctx context.Context, rec *record.Record, report *Report) error {
	found, err := Taken(ctx, c.reg, c.trusted, rec)
	for _, r := range found {
		from := r.Origin()
		report.Tested = append(report.Tested, Tested{
			Release: from.Release, Record: from.Record, Signer: r.Signer, Tests: len(rec.TakenFrom(from)),
		})
	}
	return err
}

// artifact checks one artifact of a release: its tag, its blobs, and the SBOM and
// provenance of an image.
func (c *checker) artifact(ctx context.Context, rec *record.Record, a record.Artifact) (Thing, error) {
	t := Thing{Name: a.Name, Ref: a.Pinned()}
	there, err := c.reg.Digest(ctx, a.Ref)
	if err != nil {
		return t, gone(string(a.Ref), err)
	}
	if there != a.Digest {
		return t, fmt.Errorf("%s: the tag is %s, the record says %s", a.Ref, there, a.Digest)
	}
	if t.Bytes, err = c.reg.Intact(ctx, t.Ref); err != nil || a.Type != record.ImageType {
		return t, gone(string(t.Ref), err)
	}
	for _, want := range []sought{
		{ref: t.Ref, kind: sign.SBOM, tag: rec.Tag},
		{ref: t.Ref, kind: sign.Provenance, tag: rec.Tag, commit: rec.Commit},
	} {
		if _, err := signed(ctx, c.reg, c.trusted(rec.Asset), want); err != nil {
			return t, err
		}
	}
	t.Signed = []string{sign.SBOM, sign.Provenance}
	return t, nil
}

// gone turns the error of a part that a sealed release lacks into one that does
// not blame the person who asked.
func gone(what string, err error) error {
	if errors.Is(err, registry.ErrNotFound) && diag.KindOf(err) == diag.Invalid {
		return fmt.Errorf("%s is gone from the registry", what)
	}
	return err
}

// parent verifies the release that a parent belongs to.
func (c *checker) parent(ctx context.Context, p record.Parent) (*Report, error) {
	pin := asset.Pin{Asset: p.Asset, Version: p.Version}
	report, err := c.release(ctx, pin.Tag())
	if err != nil {
		return report, gone("the release of "+pin.String(), err)
	}
	for _, t := range report.Things {
		if t.Ref == p.Ref {
			return report, nil
		}
	}
	return report, fmt.Errorf("%s: it is not of the release of %s", p.Ref, pin)
}

// runsParents checks that instances run only images that are parents, and so
// verified, or such an image with their config folder as one more layer.
func runsParents(ctx context.Context, reg *registry.Registry, rec *record.Record) error {
	known := map[asset.Ref]bool{}
	for _, p := range rec.Parents.Releases {
		known[p.Ref] = true
	}
	return step.Each(ctx, parallel, rec.Instances, func(ctx context.Context, i record.Instance) error {
		base := rec.GenericIOC(i)
		same := base == i.Image
		if known[base] && !same {
			var err error
			if same, err = reg.Extends(ctx, i.Image, base); err != nil {
				return gone(string(i.Image), err)
			}
		}
		if !known[base] || !same {
			return fmt.Errorf("%s runs %s, which is no parent of the release", i.Name, i.Image)
		}
		return nil
	})
}
