// Package github is what Tagline asks of GitHub: a release page for a git tag, with
// notes for users and the record attached, and who approved the run of a workflow
// that promotes. The registry decides what is released; the page can be made again
// from it.
package github

import (
	"bytes"
	"context"
	"fmt"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/diff"
	"github.com/tagline-ci/tagline/pipelines/plan"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/tree"
	"github.com/tagline-ci/tagline/pipelines/version"
)

// Publisher makes the release pages of a repository.
type Publisher struct {
	Repo     *tree.Repository
	Registry *registry.Registry
	GitHub   *Repository
}

// Page is the release page of a tag on GitHub.
type Page struct {
	URL    string `json:"url"`
	Tag    string `json:"tag"`
	Record string `json:"record"`          // name of the attached file
	Since  string `json:"since,omitempty"` // the version that the notes compare with
	Kept   bool   `json:"kept"`            // a person made the page: its notes and state were left alone
}

// Run makes the release page of a released git tag, or finishes it. A finished
// page is left as it is. A page that a person made keeps its title, notes and
// state, and only gets the record.
//
// It refuses (diag.Invalid) a tag that is not released, and (diag.Refused) one
// that means another commit here, in the registry or on GitHub.
func (p Publisher) Run(ctx context.Context, tag string) (*Page, error) {
	n, err := p.read(ctx, tag)
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	if err := n.attached(&body); err != nil {
		return nil, err
	}
	page := &Page{Tag: tag, Record: n.file(), Since: n.before.String()}
	release, err := p.GitHub.put(ctx, wanted{
		tag: tag, commit: n.rec.Commit, title: asset.Pin{Asset: n.rec.Asset, Version: n.rec.Version}.String(),
		notes: n.text(),
		mark:  mark, prerelease: n.pre, latest: n.latest, file: n.file(), record: body.Bytes(),
	})
	if err != nil {
		return nil, err
	}
	page.URL, page.Kept = release.GetHTMLURL(), !ours(release, mark)
	return page, nil
}

// read collects the content of a tag's notes.
func (p Publisher) read(ctx context.Context, tag string) (*notes, error) {
	tagged, err := p.Repo.Tag(tag)
	if err != nil {
		return nil, err
	}
	files, err := p.Repo.At(tagged.Commit)
	if err != nil {
		return nil, err
	}
	assets, err := plan.Assets(files)
	if err != nil {
		return nil, err
	}
	t, err := assets.Resolve(tag)
	if err != nil {
		return nil, err
	}
	rec, digest, err := p.Registry.Record(ctx, t.Asset, t.Version)
	if err != nil {
		return nil, err
	}
	if rec.Commit != tagged.Commit {
		return nil, moved(tag, "here", tagged.Commit, rec.Commit)
	}
	released, err := p.released(ctx, t.Asset)
	if err != nil {
		return nil, err
	}
	n := &notes{
		rec:     rec,
		address: p.Registry.RecordRef(t.Asset, digest),
		pre:     !version.IsRelease(t.Version),
	}
	if newest, err := version.Latest(released); err == nil {
		// GitHub has one latest release for a repository, which means nothing for several assets.
		n.latest = len(assets) == 1 && newest == t.Version
	}
	before := version.Previous(released, t.Version)
	if before.IsZero() {
		return n, nil
	}
	n.before = before
	then, err := diff.Read(ctx, p.Repo, p.Registry, asset.Tag{Asset: t.Asset, Version: before})
	if err != nil {
		return nil, err
	}
	now, err := diff.Of(ctx, p.Registry, rec, files)
	if err != nil {
		return nil, err
	}
	// A release of long ago may break a rule of today, which must not stop the page.
	n.since, n.unknown = diff.New(then, now)
	return n, nil
}

// released returns all released versions of an asset, with the times of their tags.
func (p Publisher) released(ctx context.Context, name asset.Name) ([]version.Dated, error) {
	versions, err := p.Registry.Records(ctx, name)
	if err != nil {
		return nil, err
	}
	list := make([]version.Dated, len(versions))
	for i, v := range versions {
		list[i].Version = v
		for _, tag := range []asset.Tag{{Asset: name, Version: v}, {Version: v}} {
			if tag, err := p.Repo.Tag(tag.String()); err == nil {
				list[i].When = tag.When
				break
			}
		}
	}
	return list, nil
}

// attached writes the record as the registry has it.
func (n *notes) attached(b *bytes.Buffer) error {
	text, err := record.Encode(n.rec)
	b.Write(text)
	return err
}

func moved(tag, where, there, released string) error {
	return &diag.Error{Kind: diag.Refused, Doing: "making the GitHub release of " + tag,
		Err: fmt.Errorf("the tag is at commit %s %s, and was released from %s", there, where, released),
		Fix: "a release never changes: put the tag back, and tag a new version"}
}
