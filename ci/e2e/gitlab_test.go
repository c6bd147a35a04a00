package e2e

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/stretchr/testify/require"
)

// gitlab stands in for GitLab's server and its runner: it makes the jobs of a pipeline
// from ci/gitlab/tagline.yml, by their rules, and runs their scripts in a clone.
type gitlab struct {
	t         *testing.T
	server    string // bare repository, some-group/bl71t.git
	tools     string // the folder that is PATH: what the image of the jobs has
	variables map[string]string
	protected map[string]string            // variables for protected branches and tags alone
	files     map[string]string            // content, by variable, protected too
	scoped    map[string]map[string]string // content of files, by environment and variable
}

// jobToken is the one with which a runner clones.
const jobToken = "glcbt-of-a-test"

// gitlabJob is what our jobs say; a job with a key beyond that can't be run here.
type gitlabJob struct {
	Extends string `yaml:"extends"`
	Image   struct {
		Name       string   `yaml:"name"`
		Entrypoint []string `yaml:"entrypoint"`
	} `yaml:"image"`
	Variables     map[string]string `yaml:"variables"`
	Interruptible bool              `yaml:"interruptible"`
	Rules         []struct {
		If string `yaml:"if"`
	} `yaml:"rules"`
	Services []struct {
		Name    string   `yaml:"name"`
		Alias   string   `yaml:"alias"`
		Command []string `yaml:"command"`
	} `yaml:"services"`
	Environment struct {
		Name   string `yaml:"name"`
		Action string `yaml:"action"`
	} `yaml:"environment"`
	ResourceGroup string   `yaml:"resource_group"`
	Timeout       string   `yaml:"timeout"`
	BeforeScript  []string `yaml:"before_script"`
	Script        []string `yaml:"script"`
}

// jobs returns the jobs of our file as a .gitlab-ci.yml includes it, with their templates'
// keys.
func (g gitlab) jobs(included string) map[string]gitlabJob {
	g.t.Helper()
	var site struct {
		Include []struct {
			Remote string            `yaml:"remote"`
			Inputs map[string]string `yaml:"inputs"`
		} `yaml:"include"`
	}
	require.NoError(g.t, yaml.UnmarshalWithOptions([]byte(included), &site, yaml.Strict()))
	require.Len(g.t, site.Include, 1)
	text, err := os.ReadFile(filepath.Join(root, "ci/gitlab/tagline.yml"))
	require.NoError(g.t, err)
	_, body, ok := strings.Cut(string(text), "\n---\n")
	require.True(g.t, ok, "no header with inputs")
	for name, value := range site.Include[0].Inputs {
		body = strings.ReplaceAll(body, "$[[ inputs."+name+" ]]", value)
	}
	require.NotContains(g.t, body, "$[[", "an input that the site does not give")
	var all map[string]gitlabJob
	require.NoError(g.t, yaml.UnmarshalWithOptions([]byte(body), &all, yaml.Strict()))
	for name, job := range all {
		if job.Extends == "" {
			continue
		}
		template := all[job.Extends]
		job.Image.Name = cmp.Or(job.Image.Name, template.Image.Name)
		own := job.Variables
		job.Variables = maps.Clone(template.Variables)
		maps.Copy(job.Variables, own)
		all[name] = job
	}
	maps.DeleteFunc(all, func(name string, _ gitlabJob) bool { return strings.HasPrefix(name, ".") })
	return all
}

// term is one condition of our rules: a variable that is set, or one that is equal.
var term = regexp.MustCompile(`^\$(\w+)(?: == (?:"(\w+)"|\$(\w+)))?$`)

// holds reports whether the condition of a rule does.
func (g gitlab) holds(condition string, variables map[string]string) bool {
	g.t.Helper()
	for one := range strings.SplitSeq(condition, " && ") {
		m := term.FindStringSubmatch(one)
		require.NotNil(g.t, m, "a condition that is not known here: %s", one)
		is := variables[m[1]]
		switch {
		case m[2]+m[3] == "" && is == "",
			m[2] != "" && is != m[2],
			m[3] != "" && is != variables[m[3]]:
			return false
		}
	}
	return true
}

// pipeline runs the jobs that a pipeline has and returns how each ended. The event says
// what started it: CI_PIPELINE_SOURCE, CI_COMMIT_BRANCH or CI_COMMIT_TAG, and what a
// person gave.
func (g gitlab) pipeline(event map[string]string) map[string]result {
	g.t.Helper()
	ref := cmp.Or(event["CI_COMMIT_TAG"], event["CI_COMMIT_BRANCH"])
	commit := g.git("-C", g.server, "rev-parse", ref+"^{commit}")
	variables := maps.Clone(g.variables)
	maps.Copy(variables, map[string]string{
		"CI": "true", "GITLAB_CI": "true", "CI_DEFAULT_BRANCH": "main", "CI_COMMIT_REF_NAME": ref,
		"CI_COMMIT_SHA": commit, "CI_PROJECT_PATH": "some-group/bl71t", "CI_JOB_TOKEN": jobToken,
		"CI_PROJECT_URL": "https://gitlab.com/some-group/bl71t", "CI_REGISTRY": "registry.gitlab.com",
		"CI_REGISTRY_IMAGE": "registry.gitlab.com/some-group/bl71t",
	})
	maps.Copy(variables, event)
	files := map[string]string{}
	if variables["CI_COMMIT_REF_PROTECTED"] == "true" {
		maps.Copy(variables, g.protected)
		maps.Copy(files, g.files)
	}
	ended := map[string]result{}
	jobs := g.jobs(g.git("-C", g.server, "show", commit+":.gitlab-ci.yml"))
	for _, name := range slices.Sorted(maps.Keys(jobs)) {
		for _, rule := range jobs[name].Rules {
			if g.holds(rule.If, variables) {
				ended[name] = g.job(name, jobs[name], variables, files)
				break
			}
		}
	}
	return ended
}

// job runs a job as a runner does: in a clone of its own, one script in one shell, with
// the variables, and with the files in a folder beside the clone.
func (g gitlab) job(name string, j gitlabJob, variables, files map[string]string) result {
	g.t.Helper()
	variables, files = maps.Clone(variables), maps.Clone(files)
	maps.Copy(variables, j.Variables)
	g.engine(name, j, variables)
	builds := g.t.TempDir()
	clone := filepath.Join(builds, "bl71t")
	g.clone(clone, variables)
	expand := func(name string) string { return variables[name] }
	maps.Copy(files, g.scoped[os.Expand(j.Environment.Name, expand)])
	for name, content := range files {
		variables[name] = filepath.Join(builds, name)
		require.NoError(g.t, os.WriteFile(variables[name], []byte(content), 0o600))
	}
	variables["CI_PROJECT_DIR"], variables["HOME"], variables["PATH"] = clone, g.t.TempDir(), g.tools
	ctx, cancel := context.WithTimeout(g.t.Context(), 10*time.Minute)
	defer cancel()
	script := strings.Join(append(j.BeforeScript, j.Script...), "\n")
	shell := exec.CommandContext(ctx, "/bin/bash", "-eo", "pipefail", "-c", script)
	shell.Dir = clone
	for name, value := range variables {
		shell.Env = append(shell.Env, name+"="+value)
	}
	var out, errs bytes.Buffer
	shell.Stdout, shell.Stderr = &out, &errs
	err := shell.Run()
	var exit *exec.ExitError
	require.True(g.t, err == nil || errors.As(err, &exit), err)
	r := result{out: out.String(), err: errs.String(), status: shell.ProcessState.ExitCode()}
	g.t.Logf("job %s\n%s%s(exit status %d)", name, r.err, r.out, r.status)
	for name := range g.protected { // its passwords
		require.NotContains(g.t, r.out+r.err, g.protected[name], name)
	}
	require.NotContains(g.t, r.out+r.err, jobToken)
	return r
}

// engine gives a job that has the engine as a service the one of this machine, at the
// address of that service. A job without it gets none.
func (g gitlab) engine(name string, j gitlabJob, variables map[string]string) {
	g.t.Helper()
	const runner = "_EXPERIMENTAL_DAGGER_RUNNER_HOST"
	if len(j.Services) == 0 {
		require.NotContains(g.t, variables, runner, name)
		return
	}
	service := j.Services[0]
	require.Equal(g.t, variables[runner], "tcp://"+service.Alias+":1234")
	require.Equal(g.t, []string{"--addr", "tcp://0.0.0.0:1234"}, service.Command)
	for _, pair := range env.Environ() {
		if key, value, _ := strings.Cut(pair, "="); strings.HasPrefix(key, "_EXPERIMENTAL_DAGGER_") {
			variables[key] = value
		}
	}
}

// clone clones as a runner does: with the job's token in the address, as deep as the job
// says, and at the commit, not at a branch.
func (g gitlab) clone(dir string, variables map[string]string) {
	g.t.Helper()
	address := "https://gitlab-ci-token:" + jobToken + "@gitlab.com/some-group/"
	g.git("init", "-q", dir)
	g.git("-C", dir, "remote", "add", "origin", address+"bl71t.git")
	fetch := []string{"-C", dir, "-c", "url.file://" + filepath.Dir(g.server) + "/.insteadOf=" + address,
		"fetch", "-q", "--prune", "origin"}
	tag := variables["CI_COMMIT_TAG"]
	switch depth := variables["GIT_DEPTH"]; {
	case depth == "0":
		fetch = append(fetch, "+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*")
	default:
		fetch = append(fetch, "--no-tags", "--depth", cmp.Or(depth, "20"),
			"+"+variables["CI_COMMIT_SHA"]+":refs/pipelines/1")
		if tag != "" {
			fetch = append(fetch, "+refs/tags/"+tag+":refs/tags/"+tag)
		}
	}
	g.git(fetch...)
	g.git("-C", dir, "checkout", "-q", "-f", variables["CI_COMMIT_SHA"])
}

func (g gitlab) git(args ...string) string {
	g.t.Helper()
	out, err := exec.CommandContext(g.t.Context(), "git", args...).CombinedOutput()
	require.NoError(g.t, err, fmt.Sprintf("git %v: %s", args, out))
	return strings.TrimSpace(string(out))
}
