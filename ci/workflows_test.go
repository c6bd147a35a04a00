package ci_test

import (
	"io"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/scaffold"
)

// workflowsDir holds what GitHub runs.
const workflowsDir = "../.github/workflows"

// pinned is an action named by its full commit, with its version beside it: a
// tag can be moved by whoever owns the action, a commit cannot. Tagline's own are named
// by its version, or lie in a checkout.
var pinned = regexp.MustCompile(`^\s*(?:- )?uses: (?:[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+|` +
	`tagline-ci/tagline/\.github/(?:workflows/site-\w+\.yml|actions/tagline)@[\w.-]+|\./\.tagline/[\w./-]+)$`)

// tagline is a step's line that does the work of a workflow.
var tagline = regexp.MustCompile(`(^|\s)((bin/)?tagline|\.ci/run|make release-test|goreleaser release)(\s|$)`)

// TestWorkflowsLint runs actionlint and our own rules over each workflow.
func TestWorkflowsLint(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(workflowsDir, "*.yml"))
	require.NoError(t, err)
	var names []string
	for _, file := range files {
		names = append(names, filepath.Base(file))
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			require.NoError(t, err)
			assert.Empty(t, workflowFaults(t, file, string(text)))
		})
	}
	assert.Equal(t, []string{
		"check.yml", "promote.yml", "release.yml", "site-check.yml", "site-promote.yml", "tagline.yml",
	}, names)
}

// TestActionIsPinned holds the action that installs Tagline to the rules of workflows.
func TestActionIsPinned(t *testing.T) {
	text, err := os.ReadFile("../.github/actions/tagline/action.yml")
	require.NoError(t, err)
	assert.Empty(t, unpinned(string(text)))
	assert.NotRegexp(t, `run:.*\$\{\{`, string(text), "an expression in shell text")
}

// TestWorkflowsOfNewRepositories holds what tagline init writes to the same rules.
func TestWorkflowsOfNewRepositories(t *testing.T) {
	for _, registry := range []string{"ghcr.io/some-org", "registry.example.org/iocs"} {
		repository := scaffold.Repository{Registry: registry, Version: "v1.2.3"}
		files, err := repository.Common(assettest.Tag("bl02i/1.0.0"))
		require.NoError(t, err)
		promotion, err := repository.Promotion("bl02i")
		require.NoError(t, err)
		maps.Copy(files, promotion)
		var names []string
		for _, name := range slices.Sorted(maps.Keys(files)) {
			if path.Ext(name) == ".yml" {
				names = append(names, path.Base(name))
				assert.Empty(t, workflowFaults(t, name, files[name]), name)
			}
		}
		assert.Equal(t, []string{"check.yml", "promote.yml", "release.yml"}, names)
	}
}

// workflowFaults returns what actionlint and our rules say against a workflow.
func workflowFaults(t *testing.T, file, text string) (faults []string) {
	t.Helper()
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	require.NoError(t, err)
	found, err := linter.Lint(file, []byte(text), nil)
	require.NoError(t, err)
	for _, e := range found {
		faults = append(faults, e.Message)
	}
	faults = append(faults, unpinned(text)...)
	w, errs := actionlint.Parse([]byte(text))
	if len(errs) > 0 {
		return faults
	}
	return append(faults, ownRules(w)...)
}

// unpinned returns what a workflow or an action uses by a name that can be moved.
func unpinned(text string) (faults []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if strings.Contains(line, "uses:") && !pinned.MatchString(line) {
			faults = append(faults, "not pinned by commit with its version: "+strings.TrimSpace(line))
		}
	}
	return faults
}

// called reports whether other workflows call this one.
func called(w *actionlint.Workflow) bool {
	return slices.ContainsFunc(w.On, func(e actionlint.Event) bool { return e.EventName() == "workflow_call" })
}

// ownRules are what actionlint does not ask.
func ownRules(w *actionlint.Workflow) (faults []string) {
	if w.Permissions == nil || w.Permissions.All != nil || len(w.Permissions.Scopes) > 0 {
		faults = append(faults, "permissions of the workflow must be {}: each job asks for its own")
	}
	// The group of a called workflow could be its caller's: each would wait for the other.
	if (w.Concurrency == nil) != called(w) {
		faults = append(faults, "no concurrency group, or one in a workflow that is called")
	}
	for _, job := range w.Jobs {
		if job.Permissions == nil || job.Permissions.All != nil {
			faults = append(faults, job.ID.Value+": permissions must be named one by one")
		}
		if job.WorkflowCall != nil {
			continue // its steps and its time limit are in the workflow that it calls
		}
		if job.TimeoutMinutes == nil {
			faults = append(faults, job.ID.Value+": no time limit")
		}
		faults = append(faults, stepRules(job)...)
	}
	return faults
}

// stepRules look at the shell text of a job: what comes from outside reaches it
// by environment only, and one line of Tagline does the work.
func stepRules(job *actionlint.Job) (faults []string) {
	lines := 0
	for _, step := range job.Steps {
		if step.ContinueOnError != nil {
			faults = append(faults, job.ID.Value+": a step hides its failure")
		}
		run, ok := step.Exec.(*actionlint.ExecRun)
		if !ok {
			continue
		}
		if strings.Contains(run.Run.Value, "${{") {
			faults = append(faults, job.ID.Value+": an expression in shell text: "+run.Run.Value)
		}
		for _, line := range strings.Split(strings.TrimSpace(run.Run.Value), "\n") {
			if tagline.MatchString(line) {
				lines++
			}
		}
	}
	if lines != 1 {
		faults = append(faults, job.ID.Value+": not one line of Tagline")
	}
	return faults
}

// TestWorkflowRulesBite breaks a sound workflow in one place at a time.
func TestWorkflowRulesBite(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(workflowsDir, "promote.yml"))
	require.NoError(t, err)
	for name, c := range map[string]struct{ old, new, want string }{
		"an action by tag": {
			"@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2", "@v4", "not pinned by commit",
		},
		"a pin without its version": {" # v4.2.2", "", "not pinned by commit"},
		"an input in the shell":     {`"$BEAMLINE"`, "${{ inputs.beamline }}", "an expression in shell text"},
		"an unknown input": {
			"${{ inputs.version }}", "${{ inputs.release }}", `property "release" is not defined`,
		},
		"every permission": {"permissions: {}", "permissions: write-all", "permissions of the workflow"},
		"no permissions of the job": {
			"    permissions:\n      actions: read # who approved this run\n      contents: read\n" +
				"      packages: read\n",
			"", "named one by one",
		},
		"a misspelt key": {"timeout-minutes", "timeout-minute", "timeout-minute"},
		"no time limit":  {"    timeout-minutes: 60\n", "", "no time limit"},
		"no work":        {"bin/tagline promote", "echo promote", "not one line of Tagline"},
	} {
		t.Run(name, func(t *testing.T) {
			require.Contains(t, string(text), c.old)
			faults := workflowFaults(t, "promote.yml", strings.ReplaceAll(string(text), c.old, c.new))
			assert.True(
				t, slices.ContainsFunc(faults, func(f string) bool { return strings.Contains(f, c.want) }), "%q",
				faults,
			)
		})
	}
}

// TestWorkflowTriggers holds what starts each workflow and who approves it.
func TestWorkflowTriggers(t *testing.T) {
	read := func(name string) *actionlint.Workflow {
		text, err := os.ReadFile(filepath.Join(workflowsDir, name))
		require.NoError(t, err)
		w, errs := actionlint.Parse(text)
		require.Empty(t, errs)
		return w
	}
	release := read("release.yml")
	require.Len(t, release.On, 1)
	push := release.On[0].(*actionlint.WebhookEvent)
	assert.Equal(t, "push", push.Hook.Value)
	assert.Equal(t, []string{"*/*", "[0-9]*"}, values(push.Tags.Values))
	assert.Nil(t, push.Branches)
	assert.False(t, release.Concurrency.CancelInProgress.Value, "a release is never cut short")
	assert.Equal(t, "write", release.Jobs["release"].Permissions.Scopes["packages"].Value.Value)
	assert.Equal(
		t, "read", release.Jobs["release"].Permissions.Scopes["contents"].Value.Value,
		"what builds may not write here",
	)
	assert.Equal(t, "write", release.Jobs["github"].Permissions.Scopes["contents"].Value.Value)
	assert.Equal(t, "read", release.Jobs["github"].Permissions.Scopes["packages"].Value.Value)
	assert.Equal(t, "release", release.Jobs["github"].Needs[0].Value, "a page only of what is released")
	assert.Equal(t, "write", release.Jobs["release"].Permissions.Scopes["id-token"].Value.Value, "releases are signed")

	promote := read("promote.yml")
	require.Len(t, promote.On, 1)
	assert.Equal(t, "workflow_dispatch", promote.On[0].EventName())
	assert.Equal(t, "${{ inputs.beamline }}", promote.Jobs["promote"].Environment.Name.Value)
	// What pipelines/github takes for the promotion that was approved.
	assert.Equal(t, "promote ${{ inputs.beamline }} to ${{ inputs.version }}", promote.RunName.Value)
	assert.False(t, promote.Concurrency.CancelInProgress.Value, "a promotion is never cut short")
	itself := read("tagline.yml")
	require.Len(t, itself.On, 1)
	assert.Equal(t, []string{"v[0-9]*"}, values(itself.On[0].(*actionlint.WebhookEvent).Tags.Values))
	assert.False(t, itself.Concurrency.CancelInProgress.Value, "a release is never cut short")
	sites := read("site-promote.yml")
	assert.Equal(t, "${{ inputs.beamline }}", sites.Jobs["promote"].Environment.Name.Value)
	for _, w := range []*actionlint.Workflow{promote, read("check.yml"), sites, read("site-check.yml")} {
		for _, job := range w.Jobs {
			for scope, p := range job.Permissions.Scopes {
				assert.NotEqual(t, "write", p.Value.Value, "%s: %s", w.Name.Value, scope)
			}
		}
	}
}

func values(list []*actionlint.String) (all []string) {
	for _, s := range list {
		all = append(all, s.Value)
	}
	return all
}
