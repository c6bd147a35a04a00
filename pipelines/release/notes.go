package release

import (
	"context"

	"github.com/tagline-ci/tagline/pipelines/diff"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// NewNotes returns the notes of tests, as Check returned them, that the release before
// the tag's did not leave. It is none where there is no such release; the error says
// why the one there is can't be read or trusted.
func (p Pipeline) NewNotes(ctx context.Context, rev, tag string, tests []record.Test) ([]diff.Note, error) {
	commit, err := p.Repo.Resolve(rev)
	if err != nil {
		return nil, err
	}
	j, err := p.readAt(commit, tag)
	if err != nil {
		return nil, err
	}
	before, err := j.before(ctx)
	if err != nil || before == nil {
		return nil, err
	}
	return diff.NewNotes(before.Record, &record.Record{Checks: tests}), nil
}
