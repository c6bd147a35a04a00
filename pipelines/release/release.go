// Package release is the pipeline from a tag to a record: it reads the tree at
// the tag, builds and tests, publishes content, then tags, and last the record.
package release

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/plan"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/settings"
	"github.com/tagline-ci/tagline/pipelines/sign"
	"github.com/tagline-ci/tagline/pipelines/step"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// Pipeline releases the assets of one repository to one registry.
type Pipeline struct {
	Builder
	Repo   *tree.Repository
	Tool   string      // Tagline's version, for the record
	Signer sign.Signer // of releases; nil leaves them unsigned
	// All boots every IOC of a beamline and builds every support module of an image, also
	// those that the release before has booted or built so.
	All bool
}

// Plan returns what releasing a git tag of a repository would do, with what the charts
// of a beamline will need a policy's consent to. rev is the revision where the tag will
// be made, empty for where it is. Nothing is touched.
func Plan(repo *tree.Repository, rev, tag string) (*plan.Plan, error) {
	j, err := Pipeline{Repo: repo}.planned(rev, tag)
	if err != nil {
		return nil, err
	}
	if j.plan.Beamline == nil {
		return j.plan, nil
	}
	needs, err := chart.Planned(j.files, j.plan.Beamline.Name, j.plan.Tag.Version.String())
	if err != nil {
		return nil, err
	}
	for i, inst := range j.plan.Beamline.Instances {
		j.plan.Beamline.Instances[i].Needs = needs[inst.Name]
	}
	return j.plan, nil
}

// planned plans the release of a tag where it is, or would be.
func (p Pipeline) planned(rev, tag string) (*job, error) {
	if rev == "" {
		return p.read(tag)
	}
	commit, err := p.Repo.Resolve(rev)
	if err != nil {
		return nil, err
	}
	return p.readAt(commit, tag)
}

// Changes returns what a revision of a repository changes since another: the assets
// to release again, and those that are gone.
func Changes(repo *tree.Repository, since, rev string) (*plan.Changes, error) {
	var sides [2]plan.Tree
	for i, r := range []string{since, rev} {
		var err error
		if sides[i].Commit, err = repo.Resolve(r); err != nil {
			return nil, err
		}
		if sides[i].Files, err = repo.At(sides[i].Commit); err != nil {
			return nil, err
		}
		switch own, err := settings.Read(sides[i].Files); {
		case err == nil:
			sides[i].Library = own.Library
		case i == 1: // what was wrong with the older tree matters no more
			return nil, err
		}
	}
	changed, err := repo.Changed(sides[0].Commit, sides[1].Commit)
	if err != nil {
		return nil, err
	}
	return plan.Since(sides[0], sides[1], changed)
}

// Run releases a git tag and returns its record. A tag that is released already
// returns the record there is, if it is of the same commit.
func (p Pipeline) Run(ctx context.Context, tag string) (*record.Record, error) {
	j, err := p.read(tag)
	if err != nil {
		return nil, err
	}
	if err := j.trustSigner(ctx); err != nil {
		return nil, err
	}
	sealed, err := j.sealed(ctx)
	if err != nil || sealed != nil {
		return sealed, err
	}
	if err := j.owned(ctx); err != nil {
		return nil, err
	}
	if err := j.release(ctx, j.work()); err != nil {
		return nil, err
	}
	return j.find(ctx, j.plan.Tag.Pin()) // as everybody will read it
}

// release does all that a release is, once its tag was read.
func (j *job) release(ctx context.Context, w work) error {
	return j.do(ctx,
		stage{"planning", w.plan},
		stage{"building", w.build},
		stage{"pushing", w.push},
		stage{"testing", w.test},
		stage{"packaging", w.pack},
		stage{"signing", j.signing()},
		stage{"sealing", j.seal},
	)
}

// Check builds and tests what a tag would release, at any revision, and
// publishes nothing. The tests that were run are returned even when one failed.
// With inTree what an image is built on, and the images that a beamline's
// instances run, are built from the tree too: for a change that crosses images.
func (p Pipeline) Check(ctx context.Context, rev, tag string, inTree bool) ([]record.Test, error) {
	j, err := p.planned(rev, tag)
	if err != nil {
		return nil, err
	}
	if err := j.owned(ctx); err != nil {
		return nil, err
	}
	j.checks, j.inTree = true, inTree
	err = j.check(ctx, j.work())
	return j.rec.Checks, err
}

// check does what a release does before anything is in a registry.
func (j *job) check(ctx context.Context, w work) error {
	return j.do(ctx, stage{"planning", w.plan}, stage{"building", w.build}, stage{"testing", w.test})
}

// job is one tag under way.
type job struct {
	Pipeline
	tag   asset.Tag // as git has it; without the asset where the repository has one alone
	plan  *plan.Plan
	files fs.FS              // the tree at the tag's commit
	site  *settings.Settings // of that tree

	checks bool // nothing is published
	inTree bool // what it is built on, or runs, is built from the tree and not released

	rec   *record.Record // grows from step to step
	image *image.Image   // that is released, as it is tested and signed; nil when the release is no image
}

// read reads the tree at a tag and plans its release.
func (p Pipeline) read(tag string) (*job, error) {
	t, err := p.Repo.Tag(tag)
	if err != nil {
		return nil, err
	}
	return p.readAt(t.Commit, tag)
}

// readAt plans the release that a tag would be at a commit.
func (p Pipeline) readAt(commit, tag string) (*job, error) {
	files, err := p.Repo.At(commit)
	if err != nil {
		return nil, err
	}
	pl, err := plan.New(files, commit, tag)
	if err != nil {
		return nil, err
	}
	site, err := settings.Read(files)
	if err != nil {
		return nil, err
	}
	written := pl.Tag
	if written.String() != tag {
		written.Asset = ""
	}
	rec := &record.Record{
		Schema: record.Schema, Kind: pl.Kind, Asset: pl.Tag.Asset, Version: pl.Tag.Version, Tag: written,
		Commit: commit, Tool: p.Tool, Repository: p.Repo.Home(),
	}
	return &job{Pipeline: p, tag: written, plan: pl, files: files, site: site, rec: rec}, nil
}

// work is what one kind of asset does in the steps of a release. A kind leaves
// out the steps that it does not have.
type work struct {
	plan  func(context.Context) error // reads the recipes, and the releases that it builds on
	build func(context.Context) error
	push  func(context.Context) error // before the test, what is tested; by digest, untagged
	test  func(context.Context) error
	pack  func(context.Context) error // pushes charts, by digest, untagged
}

func (j *job) work() work {
	switch j.plan.Kind {
	case asset.Image:
		return newImageJob(j).work()
	case asset.Beamline:
		return (&beamlineJob{job: j, boot: j.boot, serve: j.serve}).work()
	}
	l := &libraryJob{job: j}
	return work{build: l.build, pack: l.push}
}

// stage is a step of a release, by what it is called while it runs.
type stage struct {
	doing string
	do    func(context.Context) error
}

// do runs stages in order, and stops at the first that fails. A test that did
// not pass is a failure: nothing after it is done.
func (j *job) do(ctx context.Context, stages ...stage) error {
	for _, s := range stages {
		if s.do == nil {
			continue
		}
		if err := step.Run(ctx, s.doing+" "+j.tag.String(), s.do); err != nil {
			return err
		}
		if err := verdict(j.rec.Checks); err != nil {
			return err
		}
	}
	return nil
}

// seal makes the release one that everybody sees.
func (j *job) seal(ctx context.Context) error {
	_, err := j.Registry.Seal(ctx, j.rec)
	return err
}

// owned refuses an asset whose name belongs to another repository.
func (j *job) owned(ctx context.Context) error {
	if j.Registry == nil {
		return nil
	}
	return j.lineage().Owned(ctx, j.rec.Asset, j.rec.Version, j.rec.Repository)
}

// sealed returns the record of this very release, if there is one. A record of
// another commit is a tag that was moved.
func (j *job) sealed(ctx context.Context) (*record.Record, error) {
	rec, err := j.find(ctx, j.plan.Tag.Pin())
	if err != nil || rec == nil {
		return nil, err
	}
	if rec.Commit != j.plan.Commit {
		return nil, &diag.Error{
			Kind: diag.Refused, Doing: "releasing", Asset: string(rec.Asset), Version: rec.Version.String(),
			Err: fmt.Errorf("it was released from commit %s, and the tag is now at %s", rec.Commit, j.plan.Commit),
			Fix: "a release never changes: tag a new version",
		}
	}
	return rec, nil
}

// find returns the record of a release, nil when there is none. One that nobody
// trusted has signed is refused, where somebody must have.
func (j *job) find(ctx context.Context, pin asset.Pin) (*record.Record, error) {
	found, err := attest.Read(ctx, j.Registry, j.Trusted, pin.Asset, pin.Version, "")
	if errors.Is(err, registry.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return found.Record, nil
}

// verdict is the error of tests that did not pass, each fault as its own.
func verdict(tests []record.Test) error {
	var all []error
	for _, t := range tests {
		for i, fault := range t.Faults {
			if i == len(t.Faults)-1 && t.Log != "" {
				fault += "\n  its last log lines:\n    " + strings.ReplaceAll(t.Log, "\n", "\n    ")
			}
			all = append(all, &diag.Error{Kind: diag.Invalid, Err: errors.New(fault)})
		}
	}
	return errors.Join(all...)
}
