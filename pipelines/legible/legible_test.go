package legible

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// What others wrote is shown, and steers no terminal.
func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"a\tb\nüber 0.5 µm\n":    "a\tb\nüber 0.5 µm\n",
		"\x1b[2J\x1b]0;x\a":      `\x1b[2J\x1b]0;x\x07`,
		"new\rold":               `new\x0dold`,
		"\u009b2J\u202eab\u2066": `\u009b2J\u202eab\u2066`,
		"\x9b2J \uFFFD\x7f":      `\x9b2J ` + "\uFFFD" + `\x7f`,
	} {
		require.Equal(t, want, Text(text))
	}
}

func TestLine(t *testing.T) {
	require.Equal(t, "µµµ", Line("µµµ", 3))
	require.Equal(t, "µµ… and 2 bytes more", Line("µµµ", 2))
	require.Equal(t, "\xff\xff… and 999998 bytes more", Line(strings.Repeat("\xff", 1000000), 2))
	require.Empty(t, Line("", 2))
}
