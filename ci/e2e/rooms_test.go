package e2e

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// onCluster are the rooms whose tests need the cluster and the registry.
var onCluster = []string{"./pipelines/promote/"}

// victims are tests that run only in a process of their own, which another test
// starts.
var victims = []string{"TestVictim"}

// TestRoomsOnTheCluster runs the tests of the rooms that change a cluster: what
// is undone, what survives a killed run, who may do it. They use a stand-in IOC,
// so that it can be told to crash. Each of them must have run: a test that skips
// itself here would never fail.
func TestRoomsOnTheCluster(t *testing.T) {
	listed := goTest(t, append([]string{"-list", "^Test"}, onCluster...)...)
	args := append([]string{"-count=1", "-parallel=4", "-timeout=20m", "-json"}, onCluster...)
	passed := passes(t, goTest(t, args...))
	var declared []string
	for line := range strings.Lines(string(listed)) {
		if name := strings.TrimSpace(line); strings.HasPrefix(name, "Test") && !slices.Contains(victims, name) {
			declared = append(declared, name)
		}
	}
	require.NotEmpty(t, declared)
	require.Subset(t, passed, declared)
}

// goTest runs go test with the parts that are up and returns its stdout.
func goTest(t *testing.T, args ...string) []byte {
	t.Helper()
	test := exec.CommandContext(t.Context(), "go", append([]string{"test"}, args...)...)
	test.Dir = root
	test.Env = append(os.Environ(), "TAGLINE_E2E_KUBECONFIG="+env.Kubeconfig, "TAGLINE_E2E_REGISTRY="+env.Registry)
	var talk bytes.Buffer
	test.Stderr = &talk
	out, err := test.Output()
	require.NoError(t, err, "%s%s", failures(out), talk.String())
	return out
}

// event is a line of go test -json.
type event struct{ Action, Test, Output string }

// passes returns the names of the tests that passed, from the lines of go test -json.
func passes(t *testing.T, lines []byte) []string {
	t.Helper()
	passed := map[string]bool{}
	for line := range bytes.Lines(lines) {
		var e event
		require.NoError(t, json.Unmarshal(line, &e), string(line))
		if e.Action == "pass" && e.Test != "" {
			passed[e.Test] = true
		}
	}
	return slices.Sorted(maps.Keys(passed))
}

// failures returns what the tests printed, from the lines of go test -json.
func failures(lines []byte) string {
	var text strings.Builder
	for line := range bytes.Lines(lines) {
		var e event
		if json.Unmarshal(line, &e) == nil {
			text.WriteString(e.Output)
		}
	}
	return text.String()
}
