package github

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Limits of a page. GitHub accepts 125,000 characters; the record has everything.
const (
	maxPage   = 120_000 // characters
	maxDetail = 60_000  // bytes, after which files' lines are left out
	maxItems  = 200     // of one list
	maxLines  = 60      // of one file
)

// page is Markdown that is being written.
type page struct{ strings.Builder }

func (p *page) line(format string, args ...any) {
	fmt.Fprintf(p, format+"\n", args...)
}

func (p *page) heading(text string) {
	p.line("\n### %s\n", text)
}

// list writes items below a heading, and nothing where there are no items.
func (p *page) list(heading string, items []string) {
	if len(items) == 0 {
		return
	}
	p.heading(heading)
	for _, item := range items[:min(len(items), maxItems)] {
		p.line("- %s", item)
	}
	if more := len(items) - maxItems; more > 0 {
		p.line("- and %d more, which the attached record names", more)
	}
}

// close returns the page with its last line, cut at a line where it is too long.
func (p *page) close(last string) string {
	text := p.String()
	if utf8.RuneCountInString(text) > maxPage {
		cut := strings.LastIndexByte(string([]rune(text)[:maxPage]), '\n')
		text = text[:cut+1]
		if strings.Count(text, "\n```")%2 == 1 {
			text += "```\n"
		}
		text += "\nThe rest is too long for this page: `tagline diff` shows all of it.\n\n"
	}
	return text + last + "\n"
}
