package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/record"
)

// nextLine is what the demonstration says to look at first.
var nextLine = regexp.MustCompile(`\n  (cd (\S+)/bl01t && tagline record bl01t/2026\.11\.1)\n`)

// TestDemo runs what `make demo` runs, in an empty folder: a tag becomes a running IOC,
// a change restarts only what changed, and a rollback brings the first version back.
// Each asset has a repository of its own, whose tags were pushed and released from
// there. Run again, it begins none anew.
func TestDemo(t *testing.T) {
	nowhere := t.TempDir()
	out := ok(t, nowhere, "demo")
	require.Contains(t, out, "tagline rollback bl01t")
	require.Contains(t, out, "tagline promote bl45p 2026.11.1")
	require.NotContains(t, out, "✘")

	next := nextLine.FindStringSubmatch(out)
	require.NotEmpty(t, next, out)
	typed := exec.CommandContext(t.Context(), "sh", "-c", next[1])
	typed.Dir = nowhere
	typed.Env = append(os.Environ(), "TAGLINE_REGISTRY=", "PATH="+filepath.Dir(tagline)+":"+os.Getenv("PATH"))
	text, err := typed.CombinedOutput()
	require.NoError(t, err, string(text))
	require.Contains(t, string(text), "bl01t 2026.11.1 (beamline) from commit ")

	for _, tag := range []string{
		"epics-base/7.0.8.1r1.0", "ioc-simstage/1.0.0", "bl01t/2026.11.1", "bl01t/2026.11.2",
		"ioc-simcamera/1.0.0", "bl45p/2026.11.1",
	} {
		dir := filepath.Join(next[2], path.Dir(tag))
		served := gitIn(t, dir, "config", "remote.origin.url")
		commit := gitIn(t, dir, "rev-parse", "refs/tags/"+tag)
		require.Equal(t, commit+"\trefs/tags/"+tag, gitIn(t, dir, "ls-remote", served, "refs/tags/"+tag))
		var rec record.Record
		text := own{&site{t: t, dir: dir}}.ok("record", tag, "--output", "json")
		require.NoError(t, json.Unmarshal([]byte(text), &rec))
		require.Equal(t, commit, rec.Commit, tag)
		require.Equal(t, served, "http://"+rec.Repository)
	}

	again := run(t, nowhere, "demo")
	require.Zero(t, again.status, again.err)
	require.Contains(t, again.err, "\n$ tagline release bl01t/2026.11.2\n")
	require.NotContains(t, again.err, "\n$ tagline init ")
	require.NotContains(t, again.err, "\n$ git push ")
	require.Equal(t, next, nextLine.FindStringSubmatch(again.out))
}

// gitIn runs git in a repository and returns what it prints.
func gitIn(t *testing.T, dir string, words ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", words...)
	cmd.Dir = dir
	out, err := cmd.Output()
	require.NoError(t, err, strings.Join(words, " "))
	return strings.TrimSpace(string(out))
}
