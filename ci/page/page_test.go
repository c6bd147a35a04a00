package page

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestThePageKeepsWhatPeopleWrote(t *testing.T) {
	page := filepath.Join(t.TempDir(), "reliability.md")
	const before = "# Reliability\n<!-- soak: begin -->\nold\n<!-- soak: end -->\nmore\n"
	require.NoError(t, os.WriteFile(page, []byte(before), 0o644))
	for range 2 {
		require.NoError(t, Rewrite(page, "soak", "new\n"))
	}
	got, err := os.ReadFile(page)
	require.NoError(t, err)
	assert.Equal(t, "# Reliability\n<!-- soak: begin -->\nnew\n<!-- soak: end -->\nmore\n", string(got))
	assert.ErrorContains(t, Rewrite(page, "bench", "new\n"), page+" has no place for the table")
	assert.Error(t, Rewrite(page+".none", "soak", "new\n"))
}

func TestMachine(t *testing.T) {
	assert.Regexp(t, `^\d+ × .+`, Machine())
}
