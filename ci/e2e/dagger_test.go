package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/plan"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// TestDaggerCallIsTheSame releases one tag by the command and by `dagger call`:
// plan, charts and record must be the same, byte for byte.
func TestDaggerCallIsTheSame(t *testing.T) {
	s, reg := newSite(t, "bl93t"), registry(t)
	s.images(reg)
	s.commit("bl93t/1.0.0")

	var planned plan.Plan
	read(t, &planned, s.dir, "plan", "bl93t/1.0.0")
	var whats []string
	for _, step := range planned.Steps {
		whats = append(whats, step.What)
	}
	byCall := call(t, s, "", "plan", "--tag", "bl93t/1.0.0", "steps", "what")
	require.Equal(t, strings.Join(whats, "\n"), strings.TrimSpace(byCall))
	require.Equal(t, readFile(t, s, lockFile), call(
		t, s, "", "lock", "--assets", "epics-base", "after", "file", "--path", lockFile, "contents",
	))

	var shown chart.Shown
	read(t, &shown, s.dir, "chart", "bl93t", "bl93t-mo-ioc-01")
	require.Equal(t, strings.TrimSpace(shown.Manifests), strings.TrimSpace(call(
		t, s, "", "chart", "--beamline", "bl93t", "--instance", "bl93t-mo-ioc-01", "manifests",
	)))

	var called, commanded record.Record
	t.Setenv("E2E_PASSWORD", "no-span-shows-this")
	r, err := daggerCall(
		t, s, reg, "--username", "e2e", "--password", "env://E2E_PASSWORD", "release", "--tag", "bl93t/1.0.0",
		"record", "contents",
	)
	require.NoError(t, err, r.log)
	require.NotContains(t, r.out+r.log, "no-span-shows-this")
	require.NoError(t, json.Unmarshal([]byte(r.out), &called))
	sealed := forget(t, reg+"/records/bl93t:1.0.0")
	read(t, &commanded, s.dir, "release", "bl93t/1.0.0", "--registry", reg)
	require.Equal(t, called, commanded, "records differ, or the digest of a chart in them does")
	require.Equal(t, sealed, forget(t, reg+"/records/bl93t:1.0.0"), "records differ by a byte")
	ok(t, s.dir, "release", "bl93t/1.0.0", "--registry", reg)

	t.Cleanup(func() { remove(t, "bl93t") })
	ok(t, s.dir, "policy", "init", "bl93t")
	moved := call(
		t, s, reg, "promote", "--beamline", "bl93t", "--version", "1.0.0", "--kubeconfig",
		"file://"+env.Kubeconfig, "version",
	)
	require.Equal(t, "1.0.0", strings.TrimSpace(moved))
	require.Equal(t, "1.0.0", status(t, s, "bl93t").Version)
}

// TestDaggerCallFails: what a function refuses is the exit status of the call,
// and its last words say what to do.
func TestDaggerCallFails(t *testing.T) {
	s := newSite(t, "bl92t")
	said, err := daggerCall(t, s, "", "plan", "--tag", "bl92t/9.9.9")
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit)
	require.NotZero(t, exit.ExitCode())
	require.Contains(t, said.log, "bl92t/9.9.9")
	said, err = daggerCall(t, s, "", "release", "--tag", "bl92t/9.9.9")
	require.ErrorAs(t, err, &exit)
	require.Contains(t, said.log, "give --registry")
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

// call runs `dagger call` on this repository's module in the site, without a
// registry where reg is empty.
func call(t *testing.T, s *site, reg string, args ...string) string {
	t.Helper()
	out, _ := called(t, s, reg, args...)
	return out
}

// called is call with what was said on the way, too.
func called(t *testing.T, s *site, reg string, args ...string) (result, said string) {
	t.Helper()
	r, err := daggerCall(t, s, reg, args...)
	require.NoError(t, err, "dagger call %s\n%s", strings.Join(args, " "), r.log)
	return r.out, r.log
}

// calling is what a call left on its two streams.
type calling struct{ out, log string }

// daggerCall runs a call, which may fail.
func daggerCall(t *testing.T, s *site, reg string, args ...string) (calling, error) {
	t.Helper()
	line := []string{"-m", root, "call"}
	if reg != "" {
		line = append(line, "--registry", reg)
	}
	for from, to := range env.Mirrors {
		line = append(line, "--mirror", from+"="+to)
	}
	return runDagger(t, s, append(line, args...)...)
}

// runDagger runs the dagger command in a site.
func runDagger(t *testing.T, s *site, args ...string) (calling, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	bin := env.CLIBin
	if bin == "" {
		bin = "dagger"
	}
	cmd := exec.CommandContext(ctx, bin, append([]string{"--progress", "plain"}, args...)...)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), env.Environ()...)
	var log strings.Builder
	cmd.Stderr = &log
	out, err := cmd.Output()
	return calling{string(out), log.String()}, err
}
