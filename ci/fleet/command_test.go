package fleet

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/cluster/clustertest"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
)

// withCommand is a fleet whose tagline is a shell script.
func withCommand(t *testing.T, script string) *Fleet {
	t.Helper()
	dir := t.TempDir()
	command := filepath.Join(dir, "tagline")
	require.NoError(t, os.WriteFile(command, []byte("#!/bin/sh\n"+script), 0o700))
	return &Fleet{
		Options: Options{Command: command, Line: line, IOCs: 2}, Registry: "r:5000/fleet/0123", dir: dir,
	}
}

// A promotion lifts the hold that a rollback before it placed, or it would be refused.
func TestCommandLines(t *testing.T) {
	f := withCommand(t, "")
	assert.Equal(t, "release fleet/2026.1.1 --registry r:5000/fleet/0123", strings.Join(f.Release("fleet/"+First), " "))
	assert.Equal(t, "promote fleet 2026.1.2 --registry r:5000/fleet/0123 --lift-hold the trial goes on",
		strings.Join(f.Promotion(Second), " "))
}

// A command runs in the fleet's repository; one that fails is told with all that it wrote.
func TestTheOutputOfACommandThatFails(t *testing.T) {
	f := withCommand(t, `echo "$@"; echo no such tag >&2; exit 3`)
	assert.EqualError(t, f.Tagline(t.Context(), "release", "x"),
		"tagline release x: exit status 3\n--repo "+f.dir+" release x\nno such tag\n")
	assert.NoError(t, withCommand(t, "exit 0").Tagline(t.Context(), "up"))
}

// A command that is stopped is interrupted as by a person, so that it gives back what it took.
func TestACommandIsInterrupted(t *testing.T) {
	f := withCommand(t, `trap 'touch "$0.gave-back"; exit 0' INT; touch "$0.begun"; while :; do sleep 0.05; done`)
	ctx, cancel := context.WithCancel(t.Context())
	cmd := f.Cmd(ctx, "promote")
	cmd.WaitDelay = time.Minute // where nobody can be interrupted
	require.NoError(t, cmd.Start())
	exists := func(suffix string) func() bool {
		return func() bool { _, err := os.Stat(f.Command + suffix); return err == nil }
	}
	require.Eventually(t, exists(".begun"), time.Minute, 5*time.Millisecond)
	cancel()
	_ = cmd.Wait() // with the context's error
	assert.True(t, exists(".gave-back")())
}

// What a beamline lacks is told when it was waited for long enough, and an interruption
// ends the wait at once.
func TestABeamlineThatDoesNotSettle(t *testing.T) {
	f := withCommand(t, "")
	f.Namespace = clustertest.New(t).Namespace(t, line)
	assert.EqualError(t, f.Settled(t.Context(), time.Hour, -time.Second), "after -1s: the ledger names no release")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	assert.ErrorIs(t, f.Settled(ctx, time.Hour, time.Hour), context.Canceled)
	assert.ErrorIs(t, Sleep(ctx, time.Hour), context.Canceled)
	assert.NoError(t, Sleep(t.Context(), 0))
}

// Each IOC serves PVs of its own, on the image that is released before; the same number of
// IOCs makes the same site whoever makes it.
func TestEachIOCOfTheSite(t *testing.T) {
	dir := t.TempDir()
	s, err := newSite(dir, "soak", 12)
	require.NoError(t, err)
	read, err := beamline.Read(os.DirFS(dir), "soak")
	require.NoError(t, err)
	seen := map[string]bool{}
	for i, inst := range read.Instances {
		assert.Equal(t, s.instance(i), inst.Name, "in the order of their numbers")
		assert.Equal(t, strings.ToUpper(inst.Name)+":HEARTBEAT", inst.Values.ProbePV)
		assert.Contains(t, string(inst.Config["st.cmd"]), `"P=`+strings.ToUpper(inst.Name)+`:"`)
		assert.Contains(t, images, inst.Image.Tag().String(), "it is released before the beamline")
		seen[inst.Values.ProbePV] = true
	}
	assert.Len(t, seen, 12)
	assert.Equal(t, "soak-ioc-012", s.instance(11))
	_, err = recipefile.Read(os.DirFS(dir))
	assert.NoError(t, err, "what is released first has no fault")
}
