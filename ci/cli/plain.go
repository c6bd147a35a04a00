package cli

import (
	"io"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/legible"
)

// plain writes text for people, with what steers a terminal, or turns the order of what is
// read, shown and not done: much of it was written by others, into records, PVs, reasons
// and logs.
type plain struct{ to io.Writer }

// Write writes whole characters.
func (p plain) Write(text []byte) (int, error) {
	if _, err := io.WriteString(p.to, legible.Text(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// coloured returns a line of an IOC's log as legible.Text does, with its colours.
func coloured(line string) string {
	var b strings.Builder
	from := 0
	for _, at := range legible.Colour.FindAllStringIndex(line, -1) {
		b.WriteString(legible.Text(line[from:at[0]]) + line[at[0]:at[1]])
		from = at[1]
	}
	return b.String() + legible.Text(line[from:])
}
