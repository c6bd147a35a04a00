package e2e

import (
	"bytes"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rhysd/actionlint"
	"github.com/stretchr/testify/require"
)

// githubRun stands in for a run of a site's workflow: it does the steps of a job that are
// commands, in a clone, with the variables that GitHub gives them. What an action does is
// done before: the clone is there, and tagline on the PATH.
type githubRun struct {
	t       *testing.T
	server  string            // bare repository, some-org/bl71t.git
	context map[string]string // what an expression can name, in lower case: "inputs.beamline"
	environ []string          // of the runner
}

// workflow reads a file of workflows as it is at main of the server.
func (g githubRun) workflow(file string) *actionlint.Workflow {
	g.t.Helper()
	text, err := exec.Command("git", "-C", g.server, "show", "main:.github/workflows/"+file).Output()
	require.NoError(g.t, err, file)
	return parsedWorkflow(g.t, text)
}

func parsedWorkflow(t *testing.T, text []byte) *actionlint.Workflow {
	t.Helper()
	w, faults := actionlint.Parse(text)
	require.Empty(t, faults)
	return w
}

// expression is one of those in our workflows: a name, and no more.
var expression = regexp.MustCompile(`\$\{\{ ([\w.-]+) \}\}`)

// text puts values in the place of expressions. What is not set is empty, as on GitHub.
func (g githubRun) text(s *actionlint.String) string {
	g.t.Helper()
	out := expression.ReplaceAllStringFunc(s.Value, func(one string) string {
		return g.context[strings.ToLower(expression.FindStringSubmatch(one)[1])]
	})
	require.NotContains(g.t, out, "${{", "an expression that is not known here")
	return out
}

// called returns the job of a workflow of Tagline that a job of the site calls, and the run
// that its steps are in. The secrets of the environment come before those that are passed.
func (g githubRun) called(job *actionlint.Job, environment map[string]string) (*actionlint.Job, githubRun) {
	g.t.Helper()
	call := job.WorkflowCall
	require.NotNil(g.t, call)
	path, _, _ := strings.Cut(strings.TrimPrefix(call.Uses.Value, "tagline-ci/tagline/"), "@")
	text, err := os.ReadFile(filepath.Join(root, path))
	require.NoError(g.t, err)
	inner := g
	inner.context = map[string]string{"github.token": g.context["github.token"]}
	for name, input := range call.Inputs {
		inner.context["inputs."+name] = g.text(input.Value)
	}
	for name, secret := range call.Secrets { // names as actionlint has them, in lower case
		inner.context["secrets."+name] = g.text(secret.Value)
	}
	for name, value := range environment {
		inner.context["secrets."+strings.ToLower(name)] = value
	}
	jobs := parsedWorkflow(g.t, text).Jobs
	require.Len(g.t, jobs, 1)
	for _, job := range jobs {
		return job, inner
	}
	return nil, inner
}

// steps does the commands of a job. What follows one that fails is left out, but what must
// always be done.
func (g githubRun) steps(job *actionlint.Job, environ ...string) (all result) {
	g.t.Helper()
	clone, temp := filepath.Join(g.t.TempDir(), "bl71t"), g.t.TempDir()
	runGit(g.t, "clone", "-q", g.server, clone)
	for _, step := range job.Steps {
		run, ok := step.Exec.(*actionlint.ExecRun)
		if !ok || all.status != 0 && (step.If == nil || step.If.Value != "always()") {
			continue
		}
		shell := exec.CommandContext(g.t.Context(), "bash", "-e", "-c", run.Run.Value)
		shell.Dir = clone
		shell.Env = append(append(g.environ, "RUNNER_TEMP="+temp), environ...)
		if step.Env != nil {
			for _, v := range step.Env.Vars {
				shell.Env = append(shell.Env, v.Name.Value+"="+g.text(v.Value))
			}
		}
		var out, errs bytes.Buffer
		shell.Stdout, shell.Stderr = &out, &errs
		err := shell.Run()
		var exit *exec.ExitError
		require.True(g.t, err == nil || errors.As(err, &exit), err)
		g.t.Logf("step %s\n%s%s(exit status %d)", run.Run.Value, &errs, &out, shell.ProcessState.ExitCode())
		all.out, all.err = all.out+out.String(), all.err+errs.String()
		if all.status == 0 {
			all.status = shell.ProcessState.ExitCode()
		}
	}
	left, err := os.ReadDir(temp)
	require.NoError(g.t, err)
	require.Empty(g.t, left, "the run leaves its credentials")
	for name, value := range g.context {
		if strings.Contains(name, "password") || strings.Contains(name, "token") {
			require.NotContains(g.t, all.out+all.err, value, name)
		}
	}
	return all
}

// with returns the run with more that an expression can name.
func (g githubRun) with(more map[string]string) githubRun {
	g.context = maps.Clone(g.context)
	maps.Copy(g.context, more)
	return g
}
