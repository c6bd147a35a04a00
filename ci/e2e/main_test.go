// Package e2e takes tags to running IOCs on real parts: a Dagger engine, a
// registry, a Kubernetes cluster, EPICS. It uses the tagline command as a
// person does.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/local"
	"github.com/tagline-ci/tagline/ci/tutorialtest"
)

// tagline is the command under test, built once; env is what `tagline up` made.
var (
	tagline string
	env     local.Env
	root    string // of the repository
	locked  string // a clone of it with lock files
)

func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "gh" { // a link to this program, on somebody's PATH
		tutorialtest.GitHubCommand()
		os.Exit(0)
	}
	flag.Parse()
	if testing.Short() {
		fmt.Println("end to end: left out by -short")
		os.Exit(0)
	}
	os.Exit(withParts(m))
}

// withParts brings everything up, runs the tests, and leaves the machine as it
// was: what was up before stays up.
func withParts(m *testing.M) (status int) {
	fail := func(what string, err error) int {
		fmt.Fprintf(os.Stderr, "end to end: %s: %v\n", what, err)
		return 1
	}
	var err error
	if root, err = filepath.Abs("../.."); err != nil {
		return fail("finding the repository", err)
	}
	dir, err := os.MkdirTemp("", "tagline-e2e")
	if err != nil {
		return fail("making a folder", err)
	}
	defer os.RemoveAll(dir)
	tagline = filepath.Join(dir, "tagline")
	build := exec.Command("go", "build", "-o", tagline, "./ci/tagline")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		return fail("building tagline", fmt.Errorf("%w\n%s", err, out))
	}
	was := exec.Command(tagline, "env").Run() == nil
	before := machine()
	up := exec.Command(tagline, "up", "--output", "json")
	up.Dir, up.Stderr = dir, os.Stderr // no checkout: tagline carries what it builds
	out, err := up.Output()
	if err != nil {
		return fail("tagline up", err)
	}
	if err := json.Unmarshal(out, &env); err != nil {
		return fail("reading what is up", err)
	}
	locked = filepath.Join(dir, "locked")
	if err := lockedClone(locked); err != nil {
		status = fail("locking a clone", err)
	} else {
		status = m.Run()
	}
	if was {
		return status
	}
	down := exec.Command(tagline, "down")
	down.Stderr = os.Stderr
	if err := down.Run(); err != nil {
		return fail("tagline down", err)
	}
	if left := leftOver(before, machine()); left != "" {
		return fail("tagline down left behind", errors.New(left))
	}
	return status
}

// result is how a command line ended.
type result struct {
	out, err string
	status   int
}

// run runs tagline in a repository.
func run(t *testing.T, repo string, args ...string) result {
	t.Helper()
	return runEnv(t, repo, nil, args...)
}

func runEnv(t *testing.T, repo string, extra []string, args ...string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, tagline, args...)
	cmd.Dir = repo
	cmd.Env = append(os.Environ(), extra...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("tagline %s: %v", strings.Join(args, " "), err)
	}
	r := result{out: out.String(), err: errs.String(), status: cmd.ProcessState.ExitCode()}
	t.Logf("$ tagline %s\n%s%s(exit status %d)", strings.Join(args, " "), r.err, r.out, r.status)
	return r
}

// ok runs tagline and fails the test unless it succeeds; it returns its stdout.
func ok(t *testing.T, repo string, args ...string) string {
	t.Helper()
	r := run(t, repo, args...)
	require.Equal(t, 0, r.status, "tagline %s: %s", strings.Join(args, " "), r.err)
	return r.out
}

// read runs tagline with --output json and reads its result into v.
func read(t *testing.T, v any, repo string, args ...string) {
	t.Helper()
	out := ok(t, repo, append(args, "--output", "json")...)
	require.NoError(t, json.Unmarshal([]byte(out), v), out)
}
