package ledger

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
)

// A long reason is not cut inside a letter.
func TestALongReasonStaysText(t *testing.T) {
	for before := range 4 {
		text := cut(strings.Repeat("x", before) + strings.Repeat("Ω", longestText))
		require.True(t, utf8.ValidString(text), "after %d letters", before)
		require.LessOrEqual(t, len(text), longestText+len("…"))
	}
}
