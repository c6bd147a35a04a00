// Package legible holds how text that others wrote is shown to a person: it is read, and
// steers nothing.
package legible

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Colour is what sets the colour of the text after it, in a terminal.
var Colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

// Text returns a text in which line breaks and tabs alone have an effect. What steers a
// terminal, turns the order of what is read, or is no UTF-8 is written as Go would.
func Text(text string) string {
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

func odd(r rune) bool {
	return r != '\n' && r != '\t' && (unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r))
}

// Line returns at most so many characters of a line, and says how many bytes more it has.
func Line(line string, most int) string {
	at := 0
	for n := range line {
		if at++; at > most {
			return fmt.Sprintf("%s… and %d bytes more", line[:n], len(line)-n)
		}
	}
	return line
}
