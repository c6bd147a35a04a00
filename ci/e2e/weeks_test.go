package e2e

import (
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestPartsThatFail is `make faults` in short: the seed draws a release whose command
// is killed, one whose registry is, and promotions in which the controllers and the node
// are killed and etcd is frozen. Nothing is left half done.
func TestPartsThatFail(t *testing.T) {
	program(t, "./ci/faults", "-runs", "5", "-seed", "5500", "-iocs", "2")
}

// TestWhatWeeksLeave is `make soak` in short: nothing has grown beyond its limit.
func TestWhatWeeksLeave(t *testing.T) {
	program(t, "./ci/soak", "-for", "90s", "-seed", "1", "-iocs", "4")
}

// program runs a program of this repository with the tagline under test.
func program(t *testing.T, folder string, flags ...string) {
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"run", folder, "-tagline", tagline}, flags...)...)
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	require.NoError(t, err)
}
