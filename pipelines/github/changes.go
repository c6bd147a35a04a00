package github

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diff"
)

// changes writes what differs from the release before.
func (p *page) changes(d *diff.Diff) {
	if d.Same() {
		p.line("\nNothing that runs.")
	}
	images := "Generic IOCs"
	if d.Kind == asset.Image {
		images = "Built on"
	}
	p.list(images, values(d.Parents))
	p.list("Support modules", values(d.Sources))
	p.list("PVs", pvs(d.PVs))
	p.list("New notes at the start", noted(d.Notes))
	p.list("Beamline", values(d.Beamline))
	if len(d.Instances) > 0 {
		p.heading("IOC instances")
	}
	for n, i := range d.Instances {
		if p.Len() > maxDetail {
			p.line("\nAnd %d more: `tagline diff` shows them.", len(d.Instances)-n)
			break
		}
		p.instance(i)
	}
	if len(d.Files) > 0 {
		p.heading("Files")
	}
	p.files(d.Files)
}

// noted returns notes as items of a list.
func noted(notes []diff.Note) (items []string) {
	for _, n := range notes {
		items = append(items, mono(n.Of)+": "+mono(n.Text))
	}
	return items
}

// instance writes what differs in one IOC instance.
func (p *page) instance(i diff.Instance) {
	p.line("\n**%s** %s.\n", mono(i.Name), i.State)
	if i.Image != nil {
		p.line("- image: %s", arrow(i.Image.Old, i.Image.New))
	}
	for _, v := range values(i.Values) {
		p.line("- %s", v)
	}
	p.files(i.Files)
}

// files writes the files that differ, with their lines.
func (p *page) files(list []diff.File) {
	for _, f := range list {
		p.line("\n%s %s.", mono(f.Name), f.State)
		lines := f.Lines
		if len(lines) == 0 || p.Len() > maxDetail {
			continue
		}
		if more := len(lines) - maxLines; more > 0 {
			lines = append(lines[:maxLines:maxLines], fmt.Sprintf("# and %d more lines", more))
		}
		// Each line begins with its sign, so none of them ends the block.
		p.line("```diff\n%s\n```", strings.Join(lines, "\n"))
	}
}

// pvs returns a line for each PV that differs, those that clients lose first.
func pvs(list []diff.PV) []string {
	var lost, changed, moved, found []string
	for _, pv := range list {
		switch {
		case pv.NewType == "":
			lost = append(lost, fmt.Sprintf("%s (%s) disappears from %s", mono(pv.Name), pv.OldType, mono(pv.OldIOC)))
		case pv.OldType == "":
			found = append(found, fmt.Sprintf("%s (%s) appears in %s", mono(pv.Name), pv.NewType, mono(pv.NewIOC)))
		case pv.OldType != pv.NewType:
			changed = append(
				changed,
				fmt.Sprintf("%s changes from %s to %s in %s", mono(pv.Name), pv.OldType, pv.NewType, mono(pv.NewIOC)),
			)
		default:
			moved = append(
				moved,
				fmt.Sprintf(
					"%s (%s) moves from %s to %s",
					mono(pv.Name),
					pv.NewType,
					mono(pv.OldIOC),
					mono(pv.NewIOC),
				),
			)
		}
	}
	return append(append(append(lost, changed...), moved...), found...)
}

// values returns a line for each thing that has another value.
func values(list []diff.Change) (all []string) {
	for _, c := range list {
		all = append(all, mono(c.Name)+": "+arrow(c.Old, c.New))
	}
	return all
}

// arrow returns how a value changed.
func arrow(old, now string) string {
	old, now = long.ReplaceAllString(old, "$1"), long.ReplaceAllString(now, "$1")
	switch {
	case old == "":
		return mono(now) + " (new)"
	case now == "":
		return mono(old) + " (gone)"
	}
	return mono(old) + " → " + mono(now)
}

// long matches a digest or a commit, of which a person compares the first digits.
var long = regexp.MustCompile(`\b([0-9a-f]{12})[0-9a-f]{28,52}\b`)

// mono returns a text as Markdown code, letter by letter: no name in it notifies
// a person.
func mono(text string) string {
	fence := "`"
	for strings.Contains(text, fence) {
		fence += "`"
	}
	if fence != "`" {
		text = " " + text + " "
	}
	return fence + strings.ReplaceAll(text, "\n", " ") + fence
}
