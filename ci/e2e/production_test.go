package e2e

import (
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-github/v62/github"
	"github.com/rhysd/actionlint"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/tutorialtest"
	"github.com/tagline-ci/tagline/pipelines/github/githubtest"
)

// production is the tutorial that needs servers, whose parts are done here by what stands
// in for them.
const production = "production.md"

// onServers types the rest of production.md after its other blocks were, and does what the
// servers do then: GitLab runs its jobs, and GitHub the promotion that its reviewers let
// begin. The releases go where the page's signed ones went, as neither server's registry
// is in reach.
func onServers(t *testing.T, home string, environ []string) {
	registry := tutorialtest.Shell(t, home, environ, "cd ~/first && sed -n 's/^registry: //p' tagline.yaml")
	signed := strings.TrimSpace(registry) + "/signed"
	t.Cleanup(func() { _ = removed(t, "bl71t") }) // it may not have come that far
	for _, part := range []struct {
		name string
		run  func(t *testing.T, p person)
	}{{"on GitLab", onGitLab}, {"on GitHub", onGitHub}} {
		if !t.Run(part.name, func(t *testing.T) { part.run(t, personLike(t, home, environ, signed)) }) {
			return
		}
	}
}

// person is who follows the page, with a copy of the files that its first blocks made.
type person struct {
	home     string
	environ  []string
	registry string // of the signed releases
	kubectl  []byte // the kubeconfig of who administers the beamline
}

func personLike(t *testing.T, home string, environ []string, registry string) person {
	p := person{home: t.TempDir(), registry: registry}
	for _, folder := range []string{"bl71t", "keys"} {
		require.NoError(t, os.CopyFS(filepath.Join(p.home, folder), os.DirFS(filepath.Join(home, folder))))
	}
	config, err := os.ReadFile(filepath.Join(home, ".gitconfig"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(p.home, ".gitconfig"), config, 0o600))
	p.kubectl, err = os.ReadFile(env.Kubeconfig)
	require.NoError(t, err)
	kubeconfig := filepath.Join(p.home, "kubeconfig")
	require.NoError(t, os.WriteFile(kubeconfig, p.kubectl, 0o600))
	p.environ = slices.DeleteFunc(slices.Clone(environ), func(pair string) bool {
		return strings.HasPrefix(pair, "HOME=")
	})
	p.environ = append(p.environ, "HOME="+p.home, "KUBECONFIG="+kubeconfig, "TAGLINE_KEY_PASSWORD="+typedPassword)
	return p
}

// typedPassword is the password of the keys, as it stands in the page.
const typedPassword = "…"

// types types the blocks of the page with an info string.
func (p person) types(t *testing.T, info string) {
	t.Helper()
	steps := tutorialtest.Commands(t, filepath.Join(root, "docs/tutorials", production), info)
	tutorialtest.Follow(t, production, steps, p.home, p.environ)
}

// serves makes an empty repository of a server and leads git there from its address.
func (p person) serves(t *testing.T, address string) (bare string) {
	t.Helper()
	bare = filepath.Join(t.TempDir(), "bl71t.git")
	tutorialtest.Shell(t, p.home, p.environ, "git init -q --bare -b main "+bare+
		" && git config --global url."+filepath.Dir(bare)+"/.insteadOf "+address)
	return bare
}

// onGitLab types what is pushed to GitLab, and lets GitLab run its pipelines: the check of
// the branch, the release of the tag, and the promotion that somebody starts by hand.
func onGitLab(t *testing.T, p person) {
	bare := p.serves(t, "git@gitlab.com:some-group/")
	p.types(t, "console gitlab")
	p.types(t, "console policy")

	key, err := os.ReadFile(filepath.Join(p.home, "keys", "release.key"))
	require.NoError(t, err)
	tools := t.TempDir() // the image of the jobs has no other program
	require.NoError(t, os.Symlink(tagline, filepath.Join(tools, "tagline")))
	g := gitlab{
		t: t, server: bare, tools: tools, variables: map[string]string{
			"TAGLINE_REGISTRY": p.registry, "TAGLINE_REGISTRY_USERNAME": "some-group",
		},
		protected: map[string]string{
			"TAGLINE_KEY_PASSWORD": typedPassword, "TAGLINE_REGISTRY_PASSWORD": "registry-password-of-a-test",
		},
		files:  map[string]string{"TAGLINE_KEY": string(key)},
		scoped: map[string]map[string]string{"bl71t": {"KUBECONFIG": string(p.kubectl)}},
	}
	runs := func(event map[string]string, jobs ...string) map[string]result {
		t.Helper()
		ended := g.pipeline(event)
		require.Equal(t, jobs, slices.Sorted(maps.Keys(ended)), "%v", event)
		return ended
	}
	branch := func(source string) map[string]string {
		return map[string]string{
			"CI_PIPELINE_SOURCE": source, "CI_COMMIT_BRANCH": "main", "CI_COMMIT_REF_PROTECTED": "true",
		}
	}
	check := runs(branch("push"), "check")["check"]
	require.Zero(t, check.status, check.err)
	require.Contains(t, check.out, "no faults")

	tag := map[string]string{"CI_PIPELINE_SOURCE": "push", "CI_COMMIT_TAG": "bl71t/1.1.0"}
	require.Empty(t, runs(tag), "a tag that anybody may push")
	tag["CI_COMMIT_REF_PROTECTED"] = "true"
	keyless := g
	keyless.files = nil
	unsigned := keyless.pipeline(tag)["release"]
	require.NotZero(t, unsigned.status)
	require.Contains(t, unsigned.err, "TAGLINE_KEY: is not set for this tag")
	release := runs(tag, "release")["release"]
	require.Zero(t, release.status, release.err)
	verified := tutorialtest.Shell(t, p.home, append(p.environ, "TAGLINE_REGISTRY="+p.registry),
		"cd ~/bl71t && tagline verify bl71t/1.1.0 --key ~/keys/release.key.pub && tagline record bl71t/1.1.0 --output json")
	require.Contains(t, verified, `"gitlab.com/some-group/bl71t"`)
	require.NotContains(t, verified, jobToken)

	require.Empty(t, runs(branch("web")), "a run by hand that names nothing")
	byHand := branch("web")
	byHand["BEAMLINE"], byHand["VERSION"] = "bl71t", "1.1.0"
	refused := runs(byHand, "promote")["promote"]
	require.Equal(t, 3, refused.status, refused.err)
	require.Contains(t, refused.err, "it has 0 of 1 approvals")
	tutorialtest.Shell(t, p.home, append(p.environ, "TAGLINE_REGISTRY="+p.registry),
		"cd ~/bl71t && tagline approve bl71t 1.1.0 --key ~/keys/ajp.key")
	promoted := runs(byHand, "promote")["promote"]
	require.Zero(t, promoted.status, promoted.err)
	require.Contains(t, promoted.out, "bl71t: promoted 1.1.0")
	elsewhere := g
	elsewhere.scoped = nil
	without := elsewhere.pipeline(byHand)["promote"]
	require.Equal(t, 2, without.status, "the KUBECONFIG is the environment's alone")
	require.Contains(t, without.err, "no kubeconfig is named")
}

// onGitHub types what is pushed to GitHub, and lets it run the promotion that the page asks
// for. Who may begin it, GitHub's API says. The release is the one that GitLab made: a
// workflow's identity is only on GitHub.
func onGitHub(t *testing.T, p person) {
	bare, bin := p.serves(t, "git@github.com:some-org/"), t.TempDir()
	self, err := os.Executable()
	require.NoError(t, err)
	require.NoError(t, os.Symlink(self, filepath.Join(bin, "gh")))
	p.environ = append(p.environ, "PATH="+bin+":"+filepath.Dir(tagline)+":"+os.Getenv("PATH"))
	p.types(t, "console github")
	asked, err := tutorialtest.ReadAsked(p.home)
	require.NoError(t, err)

	g := githubRun{
		t: t, server: bare, environ: []string{
			"PATH=" + filepath.Dir(tagline) + ":" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "GITHUB_ACTIONS=true",
			"GITHUB_RUN_ID=4711", "GITHUB_REPOSITORY=some-org/bl71t", "TAGLINE_REGISTRY=" + p.registry,
		},
		context: map[string]string{
			"github.actor": "octocat", "github.token": githubtest.Token, "secrets.github_token": githubtest.Token,
		},
	}
	refusesWhatNobodyMerged(t, g)
	inputs := map[string]string{}
	for name, value := range asked.Inputs {
		inputs["inputs."+name] = value
	}
	g = g.with(inputs)
	workflow := g.workflow(asked.Workflow)
	job, called := g.called(workflow.Jobs["promote"], map[string]string{"KUBECONFIG": string(p.kubectl)})
	require.Equal(t, "octocat", called.context["secrets.registry-username"], "who signs in at ghcr.io")
	require.Equal(t, githubtest.Token, called.context["secrets.registry-password"])

	run := githubtest.NewRun()
	run.Run.DisplayTitle = github.String(g.text(workflow.RunName))
	run.Run.HeadSHA = github.String(strings.TrimSpace(tutorialtest.Shell(t, bare, p.environ, "git rev-parse main")))
	run.Repository.FullName = github.String("some-org/bl71t")
	run.Environment.Name = github.String(called.text(job.Environment.Name))
	run.Workflow.Path = github.String(".github/workflows/" + asked.Workflow)
	api := httptest.NewServer((&githubtest.GitHub{Run: run}).Handler())
	t.Cleanup(api.Close)
	policy := tutorialtest.Shell(t, p.home, p.environ, "tagline policy show bl71t")
	signers, _, ok := strings.Cut(policy, "approvals:")
	require.True(t, ok, policy)
	file := filepath.Join(p.home, "policy.yaml")
	require.NoError(t, os.WriteFile(file, []byte(signers+`approvals:
  count: 2
  from: [{name: Ada, github: ajp}, {name: Jane, github: jane}, {name: Octo, github: octocat}]
  github: {repository: some-org/bl71t, workflow: promote.yml, api: "`+api.URL+`"}
`), 0o600))
	tutorialtest.Shell(t, p.home, p.environ, "tagline policy apply bl71t policy.yaml")

	by := func(login string) *githubtest.Review {
		return &githubtest.Review{
			State: "approved", User: &github.User{Login: &login}, Environments: []*github.Environment{run.Environment},
		}
	}
	run.Reviews = []*githubtest.Review{by("ajp"), by("octocat")} // and octocat started it
	refused := called.steps(job)
	require.Equal(t, 3, refused.status, refused.err)
	require.Contains(t, refused.err, "it has 1 of 2 approvals")
	require.Contains(t, refused.err, "by who started the run")
	run.Reviews = append(run.Reviews, by("jane"))
	promoted := called.steps(job)
	require.Zero(t, promoted.status, promoted.err)
	require.Contains(t, promoted.out, "bl71t: promoted 1.1.0")
}

// refusesWhatNobodyMerged does the first step of the site's release: the commit of a tag
// must be on the default branch.
func refusesWhatNobodyMerged(t *testing.T, g githubRun) {
	t.Helper()
	job := *g.workflow("release.yml").Jobs["release"]
	job.Steps = slices.DeleteFunc(slices.Clone(job.Steps), func(s *actionlint.Step) bool {
		return s.Name == nil || !strings.HasPrefix(s.Name.Value, "Refuse a commit")
	})
	require.Len(t, job.Steps, 1)
	g = g.with(map[string]string{"github.event.repository.default_branch": "main"})
	commits := tutorialtest.Shell(t, g.server, append(g.environ,
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.org",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.org"),
		"git rev-parse main && git update-ref refs/heads/mine $(git commit-tree -p main -m Mine 'main^{tree}') && "+
			"git rev-parse mine")
	merged, mine, _ := strings.Cut(strings.TrimSpace(commits), "\n")
	on := g.steps(&job, "GITHUB_SHA="+merged, "GITHUB_REF_NAME=bl71t/1.1.0")
	require.Zero(t, on.status, on.err)
	off := g.steps(&job, "GITHUB_SHA="+mine, "GITHUB_REF_NAME=bl71t/1.1.0")
	require.Equal(t, 1, off.status)
	require.Contains(t, off.out, "the commit of bl71t/1.1.0 is not on main")
}
