package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/plan"
	"github.com/tagline-ci/tagline/pipelines/promote"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// TestDaggerCallIsTheSame releases one tag by the command and by `dagger call`:
// plan, charts and record must be the same, byte for byte.
func TestDaggerCallIsTheSame(t *testing.T) {
	s, reg := newSite(t, "bl93t"), registry(t)
	s.images(reg)
	s.commit("bl93t/1.0.0")

	var byCommand, byCall plan.Plan
	read(t, &byCommand, s.dir, "plan", "bl93t/1.0.0")
	require.NoError(t, json.Unmarshal([]byte(call(t, s, reg, "plan", "--tag", "bl93t/1.0.0")), &byCall))
	require.Equal(t, byCommand, byCall)

	require.Equal(t, readFile(t, s, lockFile), call(
		t, s, reg, "lock", "--images", "epics-base", "file", "--path", lockFile, "contents",
	))

	var called, commanded record.Record
	require.NoError(t, json.Unmarshal([]byte(call(t, s, reg, "release", "--tag", "bl93t/1.0.0")), &called))
	sealed := forget(t, reg+"/records/bl93t:1.0.0")
	read(t, &commanded, s.dir, "release", "bl93t/1.0.0", "--registry", reg)
	require.Equal(t, called, commanded, "records differ, or the digest of a chart in them does")
	require.Equal(t, sealed, forget(t, reg+"/records/bl93t:1.0.0"), "records differ by a byte")
	ok(t, s.dir, "release", "bl93t/1.0.0", "--registry", reg)

	var moved promote.Result
	t.Cleanup(func() { remove(t, "bl93t") })
	ok(t, s.dir, "policy", "init", "bl93t")
	require.NoError(t, json.Unmarshal(
		[]byte(call(
			t, s, reg, "promote", "--beamline", "bl93t", "--version", "1.0.0", "--kubeconfig",
			"file://"+env.Kubeconfig,
		)),
		&moved,
	))
	require.Equal(t, "1.0.0", moved.Version)
	require.Equal(t, "1.0.0", status(t, s, "bl93t").Version)
}

func readFile(t *testing.T, s *site, file string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(s.dir, file))
	require.NoError(t, err)
	return string(text)
}

// forget takes a record's tag away, so that its release is made once more, and
// returns the record's digest.
func forget(t *testing.T, ref string) string {
	t.Helper()
	tag, err := name.NewTag(ref)
	require.NoError(t, err)
	there, err := remote.Head(tag)
	require.NoError(t, err)
	require.NoError(t, remote.Delete(tag))
	return there.Digest.String()
}

// call runs `dagger call` on this repository's module, with the site as source.
func call(t *testing.T, s *site, reg string, args ...string) string {
	t.Helper()
	out, _ := called(t, s, reg, args...)
	return out
}

// called is call with what was said on the way, too.
func called(t *testing.T, s *site, reg string, args ...string) (result, said string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	bin := env.CLIBin
	if bin == "" {
		bin = "dagger"
	}
	line := []string{"--progress", "plain", "-m", root, "call", "--source", s.dir, "--registry", reg}
	for from, to := range env.Mirrors {
		line = append(line, "--mirror", from+"="+to)
	}
	cmd := exec.CommandContext(ctx, bin, slices.Concat(line, args)...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), env.Environ()...)
	var log strings.Builder
	cmd.Stderr = &log
	out, err := cmd.Output()
	require.NoError(t, err, "dagger call %s\n%s", strings.Join(args, " "), log.String())
	return string(out), log.String()
}
