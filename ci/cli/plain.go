package cli

import (
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// plain writes text for people, with what steers a terminal, or turns the order of what is
// read, shown and not done: much of it was written by others, into records, PVs, reasons
// and logs.
type plain struct{ to io.Writer }

// Write writes whole characters.
func (p plain) Write(text []byte) (int, error) {
	if _, err := io.WriteString(p.to, shown(string(text))); err != nil {
		return 0, err
	}
	return len(text), nil
}

// shown returns a text in which line breaks and tabs alone have an effect.
func shown(text string) string {
	odd := func(r rune) bool {
		return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
	}
	if utf8.ValidString(text) && !strings.ContainsFunc(text, odd) {
		return text
	}
	var b strings.Builder
	for i, r := range text {
		switch {
		case r == utf8.RuneError && text[i] != "\uFFFD"[0]:
			fmt.Fprintf(&b, `\x%02x`, text[i])
		case odd(r) && r < 0x80:
			fmt.Fprintf(&b, `\x%02x`, r)
		case odd(r):
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// colour is what sets the colour of the text after it.
var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

// coloured returns a line of an IOC's log as shown does, with its colours.
func coloured(line string) string {
	var b strings.Builder
	from := 0
	for _, at := range colour.FindAllStringIndex(line, -1) {
		b.WriteString(shown(line[from:at[0]]) + line[at[0]:at[1]])
		from = at[1]
	}
	return b.String() + shown(line[from:])
}
