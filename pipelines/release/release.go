// Package release is the pipeline from a tag to a record: it reads the tree at
// the tag, builds and tests, publishes content, then tags, and last the record.
package release

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sort"
	"strings"

	"dagger.io/dagger"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/image"
	"github.com/tagline-ci/tagline/pipelines/plan"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/sign"
	"github.com/tagline-ci/tagline/pipelines/step"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// Pipeline releases the assets of one repository to one registry.
type Pipeline struct {
	Client   *dagger.Client
	Repo     *tree.Repository
	Registry *registry.Registry
	Mirrors  image.Mirrors
	Tool     string      // Tagline's version, for the record
	Signer   sign.Signer // of releases; nil leaves them unsigned
}

// job is one tag under way.
type job struct {
	Pipeline
	tag   asset.Tag // as git has it; without the asset where the repository has one alone
	plan  *plan.Plan
	files fs.FS // the tree at the tag's commit

	publishes bool // not merely checks
	inTree    bool // what it is built on, or runs, is built from the tree and not released
}

// Plan says what releasing a git tag would do. Nothing is touched.
func (p Pipeline) Plan(tag string) (*plan.Plan, error) {
	j, err := p.open(tag)
	if err != nil {
		return nil, err
	}
	return j.plan, nil
}

// open reads the tree at a tag and plans its release.
func (p Pipeline) open(tag string) (*job, error) {
	t, err := p.Repo.Tag(tag)
	if err != nil {
		return nil, err
	}
	return p.at(t.Commit, tag)
}

// at plans the release that a tag would be at a commit.
func (p Pipeline) at(commit, tag string) (*job, error) {
	files, err := p.Repo.At(commit)
	if err != nil {
		return nil, err
	}
	pl, err := plan.New(files, commit, tag)
	if err != nil {
		return nil, err
	}
	written := pl.Tag
	if written.String() != tag {
		written.Asset = ""
	}
	return &job{Pipeline: p, tag: written, plan: pl, files: files}, nil
}

// Run releases a git tag and gives its record. A tag that is released already
// gives the record there is, if it is of the same commit.
func (p Pipeline) Run(ctx context.Context, tag string) (*record.Record, error) {
	j, err := p.open(tag)
	if err != nil {
		return nil, err
	}
	sealed, err := j.sealed(ctx)
	if err != nil || sealed != nil {
		return sealed, err
	}
	if err := j.maySign(ctx); err != nil {
		return nil, err
	}
	j.publishes = true
	made, err := j.make(ctx)
	if err != nil {
		return nil, err
	}
	if err := verdict(made.rec.Checks); err != nil {
		return nil, err
	}
	if made.publish != nil {
		if err := made.publish(ctx); err != nil {
			return nil, err
		}
	}
	if p.Signer != nil {
		if err := step.Run(ctx, "signing "+tag, func(ctx context.Context) error { return j.sign(ctx, made) }); err != nil {
			return nil, err
		}
	}
	err = step.Run(ctx, "sealing "+tag, func(ctx context.Context) error {
		_, err := p.Registry.Seal(ctx, made.rec)
		return err
	})
	if err != nil {
		return nil, err
	}
	return j.find(ctx, made.rec.Asset, j.plan.Tag.Version) // as everybody will read it
}

// Check builds and tests what a tag would release, at any revision, and
// publishes nothing. The tests that were run are given even when one failed.
// With inTree what an image is built on, and the images that a beamline's
// instances run, are built from the tree too: for a change that crosses images.
func (p Pipeline) Check(ctx context.Context, rev, tag string, inTree bool) ([]record.Test, error) {
	commit, err := p.Repo.Resolve(rev)
	if err != nil {
		return nil, &diag.Error{Kind: diag.Invalid, Doing: "reading revision " + rev, Err: err}
	}
	j, err := p.at(commit, tag)
	if err != nil {
		return nil, err
	}
	j.inTree = inTree
	made, err := j.make(ctx)
	if err != nil {
		return nil, err
	}
	return made.rec.Checks, verdict(made.rec.Checks)
}

// made is a release built and tested, with nothing to be seen of it yet.
type made struct {
	rec     *record.Record
	image   *image.Image                // nil when the release is no image
	publish func(context.Context) error // pushes its charts; nil for an image, which is pushed before it is tested
}

func (j *job) make(ctx context.Context) (*made, error) {
	if j.plan.Kind == asset.Image {
		return j.image(ctx)
	}
	if j.plan.Kind == asset.Beamline {
		return j.beamline(ctx)
	}
	return j.library(ctx)
}

// sealed gives the record of this very release, if there is one. A record of
// another commit is a tag that was moved.
func (j *job) sealed(ctx context.Context) (*record.Record, error) {
	rec, err := j.find(ctx, j.plan.Tag.Asset, j.plan.Tag.Version)
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

// find gives the record of a release, nil when there is none.
func (j *job) find(ctx context.Context, name asset.Name, v asset.Version) (*record.Record, error) {
	rec, _, err := j.Registry.Record(ctx, name, v)
	if errors.Is(err, registry.ErrNotFound) {
		return nil, nil
	}
	return rec, err
}

// record starts the record of this job.
func (j *job) record() *record.Record {
	return &record.Record{
		Schema: record.Schema, Kind: j.plan.Kind,
		Asset: j.plan.Tag.Asset, Version: j.plan.Tag.Version, Tag: j.tag,
		Commit: j.plan.Commit, Tool: j.Tool,
	}
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

// sorted puts artifacts in the record's order.
func sorted(a []record.Artifact) []record.Artifact {
	sort.Slice(a, func(i, k int) bool { return a[i].Name < a[k].Name })
	return a
}
