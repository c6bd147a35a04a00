package githubtest

import (
	"fmt"
	"net/http"
	"strconv"

	"github.com/google/go-github/v62/github"
)

// Run is a run of a workflow, with all that says whether it may promote.
type Run struct {
	Run         *github.WorkflowRun
	Workflow    *github.Workflow
	Repository  *github.Repository
	Environment *github.Environment
	Compared    *github.CommitsComparison // of the run's commit with the default branch
	Reviews     []*Review
	Teams       map[string][]string // "some-org/bl01t-staff": the logins of its members
	Hidden      bool                // the token may not see teams
}

// Review is what somebody said about a run.
type Review struct {
	State        string                `json:"state"`
	User         *github.User          `json:"user"`
	Environments []*github.Environment `json:"environments"`
}

// NewRun returns run 4711 of promote.yml, which octocat started to promote bl01t to
// 2026.11.2, and which ajp let begin.
func NewRun() *Run {
	environment := &github.Environment{ID: github.Int64(7), Name: github.String("bl01t")}
	environment.ProtectionRules = []*github.ProtectionRule{
		{
			Type:      github.String("required_reviewers"),
			Reviewers: []*github.RequiredReviewer{{Type: github.String("User")}},
		},
	}
	octocat, repo := &github.User{Login: github.String("octocat")}, &github.Repository{
		FullName: github.String("some-org/site"), DefaultBranch: github.String("main"),
	}
	return &Run{
		Run: &github.WorkflowRun{
			ID: github.Int64(4711), WorkflowID: github.Int64(5),
			DisplayTitle: github.String("promote bl01t to 2026.11.2"),
			Event:        github.String("workflow_dispatch"), Status: github.String("in_progress"),
			RunAttempt: github.Int(1),
			HeadBranch: github.String("main"), HeadSHA: github.String("89e6c98d92887913cadf06b2adb97f26cde4849b"),
			HeadRepository: repo, Actor: octocat, TriggeringActor: octocat,
		},
		Workflow:   &github.Workflow{ID: github.Int64(5), Path: github.String(".github/workflows/promote.yml")},
		Repository: repo, Environment: environment, Compared: &github.CommitsComparison{Status: github.String("ahead")},
		Reviews: []*Review{{
			State: "approved", User: &github.User{Login: github.String("ajp")},
			Environments: []*github.Environment{environment},
		}},
		Teams: map[string][]string{"some-org/bl01t-staff": {"jane"}},
	}
}

// routes are the requests that a run answers.
func (g *Run) routes() map[string]func(*http.Request) (int, any) {
	repo := "/repos/" + g.Repository.GetFullName()
	found := func(v func() any) func(*http.Request) (int, any) {
		return func(*http.Request) (int, any) { return http.StatusOK, v() }
	}
	return map[string]func(*http.Request) (int, any){
		"GET " + repo:                                       found(func() any { return g.Repository }),
		"GET " + repo + "/actions/runs/4711":                found(func() any { return g.Run }),
		"GET " + repo + "/actions/workflows/5":              found(func() any { return g.Workflow }),
		"GET " + repo + "/environments/{environment}":       found(func() any { return g.Environment }),
		"GET " + repo + "/compare/{between...}":             found(func() any { return g.Compared }),
		"GET " + repo + "/actions/runs/4711/approvals":      g.reviews,
		"GET /orgs/{org}/teams/{team}":                      g.team,
		"GET /orgs/{org}/teams/{team}/memberships/{member}": g.member,
	}
}

// perPage is how many reviews the stand-in shows at once: fewer than GitHub.
const perPage = 2

func (g *Run) reviews(r *http.Request) (int, any) {
	n, _ := strconv.Atoi(r.URL.Query().Get("page"))
	n = max(n, 1)
	p := page{list: g.Reviews[min((n-1)*perPage, len(g.Reviews)):min(n*perPage, len(g.Reviews))]}
	if n*perPage < len(g.Reviews) {
		p.next = fmt.Sprintf("http://%s%s?page=%d", r.Host, r.URL.Path, n+1)
	}
	return http.StatusOK, p
}

func (g *Run) team(r *http.Request) (int, any) {
	if _, ok := g.Teams[r.PathValue("org")+"/"+r.PathValue("team")]; !ok || g.Hidden {
		return fail(http.StatusNotFound, "Not Found")
	}
	return http.StatusOK, &github.Team{Slug: github.String(r.PathValue("team"))}
}

func (g *Run) member(r *http.Request) (int, any) {
	for _, login := range g.Teams[r.PathValue("org")+"/"+r.PathValue("team")] {
		if login == r.PathValue("member") && !g.Hidden {
			return http.StatusOK, &github.Membership{State: github.String("active")}
		}
	}
	return fail(http.StatusNotFound, "Not Found")
}
