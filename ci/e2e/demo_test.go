package e2e

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestDemo runs what `make demo` runs: a tag becomes a running IOC, a change
// restarts only what changed, and a rollback brings the first version back.
func TestDemo(t *testing.T) {
	out := ok(t, root, "demo")
	require.Contains(t, out, "tagline rollback bl01t")
	require.Contains(t, out, "tagline promote bl45p 2026.11.1")
	require.NotContains(t, out, "✘")
}
