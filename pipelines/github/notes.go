package github

import (
	"fmt"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/diff"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/version"
)

// mark is in all notes that Tagline wrote. GitHub does not show it.
const mark = "<!-- notes by tagline -->"

// notes are the content of a release page.
type notes struct {
	rec     *record.Record
	address string     // of its record: "host/path/records/bl01t@sha256:…"
	before  string     // version of the release before; empty for the first
	since   *diff.Diff // from that one
	unknown error      // why since is not known
	pre     bool       // a pre-release, or a variant that a word names
	latest  bool       // of a repository's only asset
}

// file returns the name of the attached record, in letters that GitHub keeps.
func (n *notes) file() string {
	return n.rec.Asset + "-" + strings.ReplaceAll(n.rec.Version, "+", "_") + ".record.json"
}

// text returns the notes in Markdown: what changed for users, what to pull, how
// to use it and to go back. Equal releases have equal notes.
func (n *notes) text() string {
	p := &page{}
	switch {
	case n.before == "":
		p.line("The first release of %s.", mono(n.rec.Asset))
		p.contents(n.rec)
	case n.unknown != nil:
		p.line(
			"What changes since %s cannot be told, as its files cannot be read any more: %s",
			mono(n.before),
			mono(n.unknown.Error()),
		)
		p.contents(n.rec)
	default:
		p.line("What changes since %s:", mono(n.before))
		p.changes(n.since)
	}
	p.use(n)
	p.digests(n.rec)
	p.line("")
	p.line(
		"Tested before it was published: %s. The record of this release is attached, and is in the registry as %s.",
		tested(n.rec),
		mono(n.address),
	)
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
		instances = append(instances, fmt.Sprintf("%s runs %s", mono(i.Name), mono(i.IOC)))
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
	case record.Beamline:
		p.heading("To promote")
		p.line("```sh\ntagline promote %s %s", name, v)
		if n.before != "" {
			p.line("tagline rollback %s %s # to go back", name, n.before)
		}
		p.line("```")
	case record.Image:
		pin := version.Pin{Asset: name}
		pin.Version, _ = version.Parse(v) // a record's version is one
		p.heading("To use")
		p.line(
			"In an IOC instance's `values.yaml`: %s. In a recipe that builds on it: %s.",
			mono("image: "+pin.String()),
			mono("from: "+pin.String()),
		)
		if n.before != "" {
			p.line("To go back, name %s again.", mono(name+" "+n.before))
		}
	case record.Library:
		p.heading("To use")
		p.line(
			"Instance charts of this repository have the library chart of their own tag. Elsewhere it is a dependency named %s at %s.",
			mono(name),
			mono(v),
		)
	}
}

// digests writes what to pull.
func (p *page) digests(rec *record.Record) {
	var all []string
	for _, a := range rec.Artifacts {
		address := a.Pinned()
		if a.Type == "chart" {
			address = "oci://" + address
		}
		all = append(all, mono(address))
	}
	p.list("To pull", all)
}
