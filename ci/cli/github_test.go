package cli_test

import (
	"fmt"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tagline-ci/tagline/pipelines/github/githubtest"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

type onGitHub struct{}

// serveGitHub starts a GitHub stand-in for a transcript.
func serveGitHub(e *testscript.Env) {
	g := &githubtest.GitHub{Commits: map[string]string{}, Settings: githubtest.NewSettings()}
	s := httptest.NewServer(g.Handler())
	e.Defer(s.Close)
	e.Values[onGitHub{}] = g
	e.Setenv("GITHUB_API_URL", s.URL)
	e.Setenv("GITHUB_REPOSITORY", "some-org/site")
	e.Setenv("GITHUB_TOKEN", githubtest.Token)
}

// pushed is a command of transcripts: pushed TAG… adds tags to the GitHub stand-in.
func pushed(ts *testscript.TestScript, _ bool, tags []string) {
	repo, err := tree.Open(ts.MkAbs("."))
	ts.Check(err)
	for _, tag := range tags {
		commit, err := repo.Resolve("refs/tags/" + tag)
		ts.Check(err)
		ts.Value(onGitHub{}).(*githubtest.GitHub).Commits[tag] = commit
	}
}

// setGitHub is a command of transcripts: github PATH STATUS lets the GitHub stand-in
// answer with a status where it is asked for a setting.
func setGitHub(ts *testscript.TestScript, _ bool, args []string) {
	status, err := strconv.Atoi(args[1])
	ts.Check(err)
	ts.Value(onGitHub{}).(*githubtest.GitHub).Settings[args[0]] = status
}

// pages is a command of transcripts: pages FILE writes the release pages of the
// GitHub stand-in to a file.
func pages(ts *testscript.TestScript, _ bool, args []string) {
	g := ts.Value(onGitHub{}).(*githubtest.GitHub)
	var b strings.Builder
	for _, r := range g.Releases() {
		fmt.Fprintf(
			&b,
			"== %s (%s) draft=%v prerelease=%v latest=%s\n%s",
			r.GetName(),
			r.GetTagName(),
			r.GetDraft(),
			r.GetPrerelease(),
			r.GetMakeLatest(),
			r.GetBody(),
		)
		for _, a := range r.Assets {
			fmt.Fprintf(&b, "-- %s %s\n", a.GetName(), strings.Join(strings.Fields(g.Content(a))[:3], " "))
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(b.String()), 0o644))
}
