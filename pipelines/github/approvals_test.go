package github

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-github/v62/github"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/approval"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/github/githubtest"
	"github.com/tagline-ci/tagline/pipelines/policy"
)

var promotion = Promotion{Beamline: "bl01t", Version: "2026.11.2", Run: 4711}

// reviewers is a policy that takes the reviews of a user and of a team.
func reviewers() *policy.Approvals {
	return &policy.Approvals{
		Count: 1, GitHub: &policy.GitHub{Repository: "some-org/site", Workflow: "promote.yml"},
		From: []policy.Approver{
			{Name: "Ada", GitHub: "ajp"}, {Name: "staff", GitHub: "some-org/bl01t-staff"}, {Name: "key", Key: "x"},
		},
	}
}

// good returns the names of those whose approvals count.
func good(all []approval.Judged) (names []string) {
	for _, j := range all {
		if j.Good {
			names = append(names, j.By)
		}
	}
	return names
}

func review1(state, login string, e *github.Environment) *githubtest.Review {
	return &githubtest.Review{State: state, User: &github.User{Login: &login}, Environments: []*github.Environment{e}}
}

func TestReviewsAreApprovals(t *testing.T) {
	run := githubtest.NewRun()
	run.Reviews = append(run.Reviews, // on several pages
		review1("approved", "mallory", run.Environment), review1("approved", "jane", run.Environment),
		review1("rejected", "jane", run.Environment), review1("approved", "octocat", run.Environment))
	want := reviewers()
	want.From = append(want.From, policy.Approver{Name: "o", GitHub: "Octocat"})
	all, err := open(t, (&githubtest.GitHub{Run: run}).Handler()).Approvals(t.Context(), want, promotion)
	require.NoError(t, err)
	require.Len(t, all, 5)
	require.Equal(t, []string{"Ada", "jane"}, good(all))
	require.Contains(t, all[1].Why, "it is by mallory, who is no approver of the policy")
	require.Contains(t, all[3].Why, `the review says "rejected"`)
	require.Contains(t, all[4].Why, "it is by who started the run")
	want.Self = true
	all, err = open(t, (&githubtest.GitHub{Run: run}).Handler()).Approvals(t.Context(), want, promotion)
	require.NoError(t, err)
	require.Equal(t, []string{"Ada", "jane", "o"}, good(all))
}

// TestRunsThatMayNotPromote: each is another run than the one that was approved for
// this, or one whose approval says nothing.
func TestRunsThatMayNotPromote(t *testing.T) {
	text := github.String
	for says, change := range map[string]func(*githubtest.Run){
		`the run's number is "4712"`: func(r *githubtest.Run) {
			r.Run.ID = github.Int64(4712)
		},
		`its workflow is ".github/workflows/mine.yml"`: func(r *githubtest.Run) { r.Workflow.Path = text(".github/workflows/mine.yml") },
		`its title is "promote bl01t to 2026.11.1"`:    func(r *githubtest.Run) { r.Run.DisplayTitle = text("promote bl01t to 2026.11.1") },
		`its title is "promote bl02t to 2026.11.2"`:    func(r *githubtest.Run) { r.Run.DisplayTitle = text("promote bl02t to 2026.11.2") },
		`what started it is "push"`: func(r *githubtest.Run) {
			r.Run.Event = text("push")
		},
		`its branch is "mine"`: func(r *githubtest.Run) {
			r.Run.HeadBranch = text("mine")
		},
		`the repository of its commit is "mallory/site"`: func(r *githubtest.Run) { r.Run.HeadRepository = &github.Repository{FullName: text("mallory/site")} },
		`its state is "completed"`: func(r *githubtest.Run) {
			r.Run.Status = text("completed")
		},
		`its attempt is "2"`: func(r *githubtest.Run) {
			r.Run.RunAttempt = github.Int(2)
		},
		"GitHub does not say who started the run": func(r *githubtest.Run) {
			r.Run.TriggeringActor = nil
		},
		"the run's commit 89e6c98d9288 is not on main": func(r *githubtest.Run) {
			r.Compared.Status = text("diverged")
		},
		"GitHub's environment bl01t asks nobody; give it required reviewers": func(r *githubtest.Run) {
			r.Environment.ProtectionRules = nil
		},
		`GitHub's environment is "bl02t", not "bl01t"`: func(r *githubtest.Run) { r.Environment.Name = text("bl02t") },
	} {
		t.Run(says, func(t *testing.T) {
			run := githubtest.NewRun()
			change(run)
			all, err := open(t, (&githubtest.GitHub{Run: run}).Handler()).Approvals(t.Context(), reviewers(), promotion)
			require.Empty(t, all)
			require.ErrorContains(t, err, says)
			require.Equal(t, diag.Refused, diag.KindOf(err))
		})
	}
}

func TestReviewsThatAreNotOfThisEnvironment(t *testing.T) {
	run := githubtest.NewRun()
	// deleted, and made again
	run.Reviews[0].Environments = []*github.Environment{{ID: github.Int64(6), Name: github.String("bl01t")}}
	all, err := open(t, (&githubtest.GitHub{Run: run}).Handler()).Approvals(t.Context(), reviewers(), promotion)
	require.NoError(t, err)
	require.Empty(t, all)
}

// TestATeamThatIsHidden: GitHub answers for it as for a user who is no member.
func TestATeamThatIsHidden(t *testing.T) {
	run := githubtest.NewRun()
	run.Hidden = true
	run.Reviews = []*githubtest.Review{review1("approved", "jane", run.Environment)}
	_, err := open(t, (&githubtest.GitHub{Run: run}).Handler()).Approvals(t.Context(), reviewers(), promotion)
	require.ErrorContains(t, err, "reading the team some-org/bl01t-staff on GitHub for bl01t 2026.11.2: ")
	require.ErrorContains(t, err, "for teams, a token that may read the organization's members")
	require.Equal(t, diag.Refused, diag.KindOf(err))
}

// TestWhatCannotBeReadApprovesNothing lets GitHub fail or lie at the n-th request,
// for every n, and whenever that is asked again.
func TestWhatCannotBeReadApprovesNothing(t *testing.T) {
	answer := func(status int, header map[string]string, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for k, v := range header {
				w.Header().Set(k, v)
			}
			w.WriteHeader(status)
			fmt.Fprint(w, body)
		}
	}
	limit := map[string]string{
		"X-RateLimit-Limit": "60", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "4102444800",
	}
	for name, fault := range map[string]http.HandlerFunc{
		"broken":               answer(502, nil, "bad gateway"),
		"not allowed":          answer(403, nil, `{"message": "Resource not accessible by integration"}`),
		"a token that ended":   answer(401, nil, `{"message": "Bad credentials"}`),
		"too many requests":    answer(403, limit, `{"message": "API rate limit exceeded"}`),
		"too many at once":     answer(429, map[string]string{"Retry-After": "60"}, `{"message": "You have exceeded a secondary rate limit", "documentation_url": "https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits"}`),
		"not there":            answer(404, nil, `{"message": "Not Found"}`),
		"no JSON":              answer(200, nil, "<html>"),
		"an empty object":      answer(200, nil, "{}"),
		"an empty list":        answer(200, nil, "[]"),
		"nothing":              answer(200, nil, "null"),
		"accepted, not done":   answer(202, nil, "{}"),
		"an answer cut short":  answer(200, nil, `[{"state": "approved", "user": {"login": "ajp"}`),
		"a hang-up":            func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"sent somewhere else":  answer(302, map[string]string{"Location": "http://127.0.0.1:1/"}, ""),
		"a review by nobody":   answer(200, nil, `[{"state": "approved", "environments": [{"id": 7}]}]`),
		"a review of no place": answer(200, nil, `[{"state": "approved", "user": {"login": "ajp"}}]`),
	} {
		t.Run(name, func(t *testing.T) {
			requests := 7 // those of a reviewer who is in the team
			for n := range requests {
				run := githubtest.NewRun()
				run.Reviews = []*githubtest.Review{review1("approved", "jane", run.Environment)}
				var asked atomic.Int64
				var broken atomic.Value // the path of the n-th request: what is sent again fails again
				h := (&githubtest.GitHub{Run: run}).Handler()
				r := open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if int(asked.Add(1)) == n+1 {
						broken.Store(r.URL.Path)
					}
					if r.URL.Path == broken.Load() {
						fault(w, r)
						return
					}
					h.ServeHTTP(w, r)
				}))
				all, err := r.Approvals(t.Context(), reviewers(), promotion)
				require.Greater(t, int(asked.Load()), n, "that many requests are made")
				require.Empty(t, good(all), "request %d", n+1)
				if err != nil {
					require.Equal(t, diag.Refused, diag.KindOf(err), "request %d: %v", n+1, err)
					require.Contains(t, err.Error(), "; ", "request %d says what to do", n+1)
					require.NotContains(t, err.Error(), githubtest.Token)
				}
			}
		})
	}
}

// TestTheTokenStaysWithItsServer: an answer that leads elsewhere takes no token along.
func TestTheTokenStaysWithItsServer(t *testing.T) {
	var leaked atomic.Bool
	thief := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if strings.Contains(fmt.Sprint(r.Header), githubtest.Token) {
			leaked.Store(true)
		}
	}))
	t.Cleanup(thief.Close)
	elsewhere := strings.Replace(thief.URL, "127.0.0.1", "localhost", 1)
	r := open(t, http.RedirectHandler(elsewhere, http.StatusFound))
	_, err := r.Approvals(t.Context(), reviewers(), promotion)
	require.Error(t, err)
	require.False(t, leaked.Load())
}
