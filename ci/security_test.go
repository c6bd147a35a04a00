package ci_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// proof is a link to a test: its name, and the file that has it.
var proof = regexp.MustCompile(`\[(Test\w+)\]\(\.\./([^)]+_test\.go)\)`)

// TestSecurityNamesItsTests: each line of what an attacker can and can't do names
// tests that are there, or says why there are none.
func TestSecurityNamesItsTests(t *testing.T) {
	text, err := os.ReadFile("../docs/security.md")
	require.NoError(t, err)
	lines := 0
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if !strings.HasPrefix(line, "| ") || len(cells) != 4 || strings.HasPrefix(line, "| who has") {
			continue
		}
		lines++
		who, tests := strings.TrimSpace(cells[0]), strings.TrimSpace(cells[3])
		if why, ok := strings.CutPrefix(tests, "not tested: "); ok {
			assert.NotEmpty(t, why, who)
			continue
		}
		found := proof.FindAllStringSubmatch(tests, -1)
		assert.Len(t, found, strings.Count(tests, "]("), "%s: every link is to a test by its name", who)
		assert.NotEmpty(t, found, who)
		for _, f := range found {
			source, err := os.ReadFile(filepath.Join("..", f[2]))
			require.NoError(t, err, who)
			assert.Contains(t, string(source), "func "+f[1]+"(", "%s: %s", who, f[2])
		}
	}
	assert.Greater(t, lines, 15)
}
