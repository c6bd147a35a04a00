package text

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// lines returns the lines of a text without their ends.
func lines(text string) (all []string) {
	for l := range strings.Lines(text) {
		all = append(all, strings.TrimRight(l, "\r\n"))
	}
	return all
}

// without returns lines less those that are taken out, each once and in their order, and
// reports whether all of them were there.
func without(all, out []string) (left []string, whole bool) {
	for _, l := range all {
		if len(out) > 0 && out[0] == l {
			out = out[1:]
			continue
		}
		left = append(left, l)
	}
	return left, len(out) == 0
}

// FuzzLines: what is said to be gone was in the former text, what is said to be new is in
// the later one, and as many lines are left of either.
func FuzzLines(f *testing.F) {
	f.Add("a\nb\nc\n", "a\nB\nc\n")
	f.Add("a\r\na\r\n", "a\na\na")
	f.Add("", "\n\n")
	f.Fuzz(func(t *testing.T, a, b string) {
		var gone, now []string
		for _, l := range Lines([]byte(a), []byte(b)) {
			require.NotContains(t, l, "\n")
			if rest, ok := strings.CutPrefix(l, "-"); ok {
				gone = append(gone, rest)
			} else {
				require.Equal(t, "+", l[:1])
				now = append(now, l[1:])
			}
		}
		if len(gone)+len(now) == 0 {
			return // the same, or no text
		}
		x, all := without(lines(a), gone)
		require.True(t, all, "%q of %q", gone, a)
		y, all := without(lines(b), now)
		require.True(t, all, "%q of %q", now, b)
		require.Len(t, y, len(x))
	})
}

// A text as long as is shown is shown; one that is longer by a byte is not.
func TestTheLongestText(t *testing.T) {
	half := strings.Repeat("a\n", longest/4)
	require.Empty(t, Lines([]byte(half), []byte(half)))
	require.Equal(t, []string{"-a", "+b"}, Lines([]byte(half), []byte(half[:len(half)-2]+"b\n")))
	require.Empty(t, Lines([]byte(half), []byte(half+"b")))
}
