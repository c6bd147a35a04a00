package ci_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"github.com/stretchr/testify/require"
)

// TestReleaseWorkflowKeepsToTheProtectedBranch runs the first command of
// release.yml, and of tagline.yml, as it is written, on a clone as actions/checkout
// makes it: a commit of the default branch passes, old or new, and one beside it is
// refused.
func TestReleaseWorkflowKeepsToTheProtectedBranch(t *testing.T) {
	for _, name := range []string{"release.yml", "tagline.yml"} {
		t.Run(name, func(t *testing.T) { keepsToTheProtectedBranch(t, name) })
	}
}

func keepsToTheProtectedBranch(t *testing.T, name string) {
	text, err := os.ReadFile(filepath.Join(workflowsDir, name))
	require.NoError(t, err)
	w, errs := actionlint.Parse(text)
	require.Empty(t, errs)
	steps := w.Jobs["release"].Steps
	checkout, ok := steps[0].Exec.(*actionlint.ExecAction)
	require.True(t, ok)
	require.Equal(t, "0", checkout.Inputs["fetch-depth"].Value.Value, "without its history a branch tells nothing")
	guard, ok := steps[1].Exec.(*actionlint.ExecRun)
	require.True(t, ok, "nothing runs before the branch is looked at")
	require.Equal(t, "${{ github.event.repository.default_branch }}", steps[1].Env.Vars["branch"].Value.Value)

	origin, clone := t.TempDir(), t.TempDir()
	git := func(dir string, args ...string) string {
		t.Helper()
		cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
		cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1",
			"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.org",
			"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.org")
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, "git %v: %s", args, out)
		return strings.TrimSpace(string(out))
	}
	commit := func(message string) string {
		git(origin, "commit", "-q", "--allow-empty", "-m", message)
		return git(origin, "rev-parse", "HEAD")
	}
	git(origin, "init", "-q", "-b", "main")
	old := commit("one")
	merged := commit("two")
	git(origin, "checkout", "-q", "-b", "feature")
	beside := commit("three")
	git(clone, "clone", "-q", origin, ".")

	for sha, passes := range map[string]bool{old: true, merged: true, beside: false} {
		cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", guard.Run.Value)
		cmd.Dir = clone
		cmd.Env = append(os.Environ(), "GITHUB_SHA="+sha, "GITHUB_REF_NAME=bl01t/2026.11.1", "BRANCH=main")
		out, err := cmd.CombinedOutput()
		require.Equal(t, passes, err == nil, "%s", out)
		if !passes {
			require.Equal(t, "::error::the commit of bl01t/2026.11.1 is not on main; "+
				"merge it, then tag what was merged\n", string(out))
		}
	}
}
