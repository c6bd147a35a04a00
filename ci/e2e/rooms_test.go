package e2e

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRoomsOnTheCluster runs the tests of the rooms that change a cluster: what
// is undone, what survives a killed run, who may do it. They use a stand-in IOC,
// so that it can be told to crash.
func TestRoomsOnTheCluster(t *testing.T) {
	test := exec.CommandContext(t.Context(), "go", "test", "-count=1", "-parallel=4", "-timeout=20m", "./pipelines/promote/")
	test.Dir = root
	test.Env = append(os.Environ(), "TAGLINE_E2E_KUBECONFIG="+env.Kubeconfig, "TAGLINE_E2E_REGISTRY="+env.Registry)
	out, err := test.CombinedOutput()
	require.NoError(t, err, string(out))
}
