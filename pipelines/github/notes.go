package github

import (
	"fmt"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diff"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// mark is in all notes that Tagline wrote. GitHub does not show it.
const mark = "<!-- notes by tagline -->"

// notes are the content of a release page.
type notes struct {
	rec     *record.Record
	address asset.Ref     // of its record: "host/path/records/bl01t@sha256:…"
	before  asset.Version // version of the release before; zero for the first
	since   *diff.Diff    // from that one
	unknown error         // why since is not known
	pre     bool          // a pre-release, or a variant that a word names
	latest  bool          // of a repository's only asset
}

// file returns the name of the attached record, in letters that GitHub keeps.
func (n *notes) file() string {
	return string(n.rec.Asset) + "-" + n.rec.Version.OCITag() + ".record.json"
}

// text returns the notes in Markdown: what changed for users, what to pull, how
// to use it and to go back. Equal releases have equal notes.
func (n *notes) text() string {
	p := &page{}
	switch {
	case n.before.IsZero():
		p.line("The first release of %s.", mono(string(n.rec.Asset)))
		p.contents(n.rec)
	case n.unknown != nil:
		p.line(
			"What changes since %s cannot be told, as its files cannot be read any more: %s",
			mono(n.before.String()),
			mono(n.unknown.Error()),
		)
		p.contents(n.rec)
	default:
		p.line("What changes since %s:", mono(n.before.String()))
		p.changes(n.since)
	}
	p.use(n)
	p.digests(n.rec)
	p.line("")
	p.line(
		"Tested before it was published: %s. The record of this release is attached, and is in the registry as %s.",
		tested(n.rec),
		mono(string(n.address)))
	p.line("")
	return p.close(mark)
}

// tested returns how much was tested.
func tested(rec *record.Record) string {
	pvs := 0
	for _, t := range rec.Checks {
		pvs += len(t.PVs)
	}
	return fmt.Sprintf("checks %d, PVs served %d", len(rec.Checks), pvs)
}

// contents writes what a first release has.
func (p *page) contents(rec *record.Record) {
	var instances, sources []string
	for _, i := range rec.Instances {
		instances = append(instances, fmt.Sprintf("%s runs %s", mono(i.Name), mono(i.Runs())))
	}
	for _, s := range rec.Sources {
		sources = append(sources, fmt.Sprintf("%s %s", mono(s.Module), mono(s.Ref)))
	}
	p.list("IOC instances", instances)
	p.list("Support modules", sources)
}

// use writes how the release gets to where it runs, and how to go back.
func (p *page) use(n *notes) {
	name, v := n.rec.Asset, n.rec.Version
	switch n.rec.Kind {
	case asset.Beamline:
		p.heading("To promote")
		p.line("```sh\ntagline promote %s %s", name, v)
		if !n.before.IsZero() {
			p.line("tagline rollback %s %s # to go back", name, n.before)
		}
		p.line("```")
	case asset.Image:
		pin := asset.Pin{Asset: name, Version: v}
		p.heading("To use")
		p.line(
			"In an IOC instance's `values.yaml`: %s. In a recipe that builds on it: %s.",
			mono("image: "+pin.String()),
			mono("from: "+pin.String()),
		)
		if !n.before.IsZero() {
			p.line("To go back, name %s again.", mono(asset.Pin{Asset: name, Version: n.before}.String()))
		}
	case asset.Library:
		p.heading("To use")
		p.line(
			"Instance charts of this repository have the library chart of their own tag. Elsewhere it is a dependency named %s at %s.",
			mono(string(name)),
			mono(v.String()),
		)
	}
}

// digests writes what to pull.
func (p *page) digests(rec *record.Record) {
	var all []string
	for _, a := range rec.Artifacts {
		address := string(a.Pinned())
		if a.Type == record.ChartType {
			address = "oci://" + address
		}
		all = append(all, mono(address))
	}
	p.list("To pull", all)
}
