package tutorialtest

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

// TestShows: an ellipsis stands for text of a line, or for lines.
func TestShows(t *testing.T) {
	for output, want := range map[string]bool{
		"a\nb 12 c\nd\n": true, "b 1 c\n": true, "b  c\nd\ne\n": true, "": false, "b 1\n": false, "a\n": false,
	} {
		assert.Equal(t, want, Typed{Want: []string{"…", "b … c", "…"}}.shows(output), "%q", output)
	}
	assert.True(t, Typed{}.shows(""))
	assert.False(t, Typed{}.shows("a\n"), "what is not shown is not printed")
}
