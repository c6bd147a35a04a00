package attest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/sign"
)

// Report is what was seen to be right in a release.
type Report struct {
	Asset   asset.Name    `json:"asset"`
	Version asset.Version `json:"version"`
	Record  asset.Digest  `json:"record"` // its digest
	Things  []Thing       `json:"things"` // in the record's order
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

// Verify checks a release from its record down to each blob: that somebody
// trusted signed the record as that of this release, that every tag names what
// the record says, that every blob is what its digest says, that every image
// has a signed SBOM and provenance of the record's commit, and all of this for
// the releases it is built on. All faults are told, joined, each of kind Refused.
func Verify(
	ctx context.Context,
	reg *registry.Registry,
	trust *sign.Trust,
	name asset.Name,
	v asset.Version,
) (*Report, error) {
	c := checker{reg: reg, trust: trust, done: map[asset.Tag]*Report{}}
	return c.release(ctx, asset.Tag{Asset: name, Version: v})
}

// together is how many artifacts are read at a time.
const together = 4

// checker verifies releases, each once.
type checker struct {
	reg   *registry.Registry
	trust *sign.Trust
	done  map[asset.Tag]*Report
}

// release verifies one release and then its parents.
func (c *checker) release(ctx context.Context, tag asset.Tag) (*Report, error) {
	if known, ok := c.done[tag]; ok {
		return known, nil
	}
	rec, digest, err := c.reg.Record(ctx, tag.Asset, tag.Version)
	if err != nil {
		return nil, err
	}
	report := &Report{Asset: tag.Asset, Version: tag.Version, Record: digest, Things: make([]Thing, len(rec.Artifacts))}
	c.done[tag] = report
	faults := make([]error, len(rec.Artifacts), len(rec.Artifacts)+2)
	var g errgroup.Group
	g.SetLimit(together)
	for i, a := range rec.Artifacts {
		g.Go(func() error {
			report.Things[i], faults[i] = c.artifact(ctx, rec, a)
			return nil
		})
	}
	g.Wait()
	faults = append(faults, c.record(ctx, rec, digest), runsParents(rec))
	for _, p := range rec.Parents.Releases {
		parent, err := c.parent(ctx, p)
		faults = append(faults, err)
		if parent != nil {
			report.Parents = append(report.Parents, parent)
		}
	}
	return report, refused(rec, errors.Join(faults...))
}

// record checks the signature of a record.
func (c *checker) record(ctx context.Context, rec *record.Record, digest asset.Digest) error {
	ref := c.reg.RecordRef(rec.Asset, digest)
	text, err := c.signed(ctx, sought{ref, sign.Release, rec.Tag})
	if err != nil {
		return err
	}
	var said release
	if err := json.Unmarshal(text, &said); err != nil || said != releaseOf(rec) {
		return fmt.Errorf("%s: it was signed as the record of %s, not of %s", ref, said.Tag, rec.Tag)
	}
	return nil
}

// artifact checks one artifact of a release: its tag, its blobs, and what is
// said of an image.
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
	if _, err := c.signed(ctx, sought{t.Ref, sign.SBOM, rec.Tag}); err != nil {
		return t, err
	}
	text, err := c.signed(ctx, sought{t.Ref, sign.Provenance, rec.Tag})
	if err != nil {
		return t, err
	}
	var how slsa
	if err := json.Unmarshal(text, &how); err != nil || how.commit() != rec.Commit {
		return t, fmt.Errorf("%s: its provenance is of commit %s, the record's of %s", t.Ref, how.commit(), rec.Commit)
	}
	t.Signed = []string{sign.SBOM, sign.Provenance}
	return t, nil
}

// gone says of a sealed release that a part of it is not there: that is no
// mistake of who asks.
func gone(what string, err error) error {
	if errors.Is(err, registry.ErrNotFound) && diag.KindOf(err) == diag.Invalid {
		return fmt.Errorf("%s is gone from the registry", what)
	}
	return err
}

// parent verifies the release that a parent belongs to. Of one in another
// registry the record names the digest, and that is all.
func (c *checker) parent(ctx context.Context, p record.Parent) (*Report, error) {
	if !c.reg.Has(p.Ref) {
		return nil, nil
	}
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

// runsParents checks that instances run only images that are parents, and so verified.
func runsParents(rec *record.Record) error {
	known := map[asset.Ref]bool{}
	for _, p := range rec.Parents.Releases {
		known[p.Ref] = true
	}
	var faults []error
	for _, i := range rec.Instances {
		if !known[i.Image] {
			faults = append(faults, fmt.Errorf("%s runs %s, which is no parent of the release", i.Name, i.Image))
		}
	}
	return errors.Join(faults...)
}

// refused names the release in each fault that does not name one itself.
func refused(rec *record.Record, err error) error {
	var faults []error
	for _, f := range diag.All(err) {
		var named *diag.Error
		if !errors.As(f, &named) {
			f = &diag.Error{
				Kind:    diag.Refused,
				Doing:   "verifying",
				Asset:   string(rec.Asset),
				Version: rec.Version.String(),
				Err:     f,
				Fix:     "do not promote it; find out who wrote there",
			}
		}
		faults = append(faults, f)
	}
	return errors.Join(faults...)
}
