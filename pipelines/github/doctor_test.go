package github

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/github/githubtest"
)

// patient is the site of these tests.
var patient = Site{Tags: []string{"bl01t/2026.11.1", "ioc-motorsim/2026.11.1"}, Beamlines: []string{"bl01t"}}

// examine returns what Doctor says of settings, of what is not as it should be.
func examine(t *testing.T, s githubtest.Settings) (lines []string) {
	t.Helper()
	all, err := open(t, (&githubtest.GitHub{Settings: s}).Handler()).Doctor(t.Context(), patient)
	require.NoError(t, err)
	for _, f := range all {
		if f.State == Set {
			require.Empty(t, f.Want+f.Where)
			continue
		}
		require.NotEmpty(t, f.Want)
		require.NotEmpty(t, f.Where)
		lines = append(lines, fmt.Sprintf("%s: %s: %s; %s", f.State, f.What, f.Is, f.Want))
	}
	return lines
}

func TestDoctorOfASiteThatIsWell(t *testing.T) {
	s := githubtest.NewSettings()
	require.Empty(t, examine(t, s))
	s[githubtest.Repo].(map[string]any)["private"] = true
	s[githubtest.Repo+"/actions/permissions/fork-pr-workflows-private-repos"] = map[string]any{
		"run_workflows_from_fork_pull_requests": true, "require_approval_for_fork_pr_workflows": true,
	}
	delete(s, githubtest.Repo+"/actions/permissions/fork-pr-contributor-approval")
	require.Empty(t, examine(t, s), "a private repository")
	s[githubtest.Repo].(map[string]any)["owner"] = map[string]any{"type": "User"}
	delete(s, githubtest.Org+"/actions/runner-groups")
	require.Empty(t, examine(t, s), "a repository of a user")
}

// object is an object of JSON.
type object = map[string]any

// refs are the conditions of a ruleset.
func refs(include, exclude []string) object {
	return object{"ref_name": object{"include": include, "exclude": exclude}}
}

// whatIsOpen are changes of settings that each leave one thing open, by what is said of it.
var whatIsOpen = map[string]func(s githubtest.Settings){
	"open: tags: whoever may push makes tags such as bl01t/2026.11.1, which are released; restrict creations": func(
		s githubtest.Settings,
	) {
		s[githubtest.Repo+"/rulesets/2"].(object)["rules"] = []object{{"type": "update"}, {"type": "deletion"}}
	},
	"open: tags: whoever may push moves tags such as bl01t/2026.11.1; restrict updates": func(
		s githubtest.Settings,
	) {
		s[githubtest.Repo+"/rulesets/2"].(object)["rules"] = []object{{"type": "creation"}, {"type": "deletion"}}
	},
	"open: tags: whoever may push deletes tags such as ioc-motorsim/2026.11.1; restrict deletions": func(
		s githubtest.Settings,
	) {
		s[githubtest.Repo+"/rulesets/2"].(object)["conditions"] = refs([]string{"~ALL"}, []string{"refs/tags/ioc-*/*"})
	},
	"open: tags: whoever may push makes tags such as 1.0.0": func(s githubtest.Settings) {
		s[githubtest.Repo+"/rulesets/2"].(object)["conditions"] = refs([]string{"refs/tags/*/*"}, nil)
	},
	"open: tags: whoever may push moves": func(s githubtest.Settings) { s[githubtest.Repo+"/rulesets"] = []any{} },
	"open: tags: whoever may push makes": func(s githubtest.Settings) {
		s[githubtest.Repo+"/rulesets/2"].(object)["enforcement"] = "evaluate"
	},
	"open: tags: whoever may push deletes tags such as bl01t": func(s githubtest.Settings) {
		s[githubtest.Repo+"/rulesets/2"].(object)["conditions"] = refs([]string{"refs/tags/**"}, nil)
	},
	"open: branch main: changes need no review; require a pull request": func(s githubtest.Settings) {
		s[githubtest.Repo+"/rules/branches/main"].([]any)[0].(object)["parameters"] = object{}
		s[githubtest.Repo+"/branches/main/protection"] = object{}
	},
	"open: branch main: its history can be rewritten; block force pushes": func(s githubtest.Settings) {
		s[githubtest.Repo+"/rules/branches/main"].([]any)[2].(object)["type"] = "update"
		s[githubtest.Repo+"/branches/main/protection"] = object{"allow_force_pushes": object{"enabled": true}}
	},
	"open: branch main: it can be deleted; restrict deletions": func(s githubtest.Settings) {
		s[githubtest.Repo+"/rules/branches/main"].([]any)[3].(object)["type"] = "update"
		s[githubtest.Repo+"/branches/main/protection"] = object{}
	},
	"open: environment bl01t: there is none": func(s githubtest.Settings) {
		delete(s, githubtest.Repo+"/environments/bl01t")
	},
	"open: environment bl01t: it asks nobody; name required reviewers": func(s githubtest.Settings) {
		rules := s[githubtest.Repo+"/environments/bl01t"].(object)["protection_rules"].([]object)
		delete(rules[0], "reviewers")
	},
	"open: environment bl01t: who starts a run may review it; prevent self-review": func(s githubtest.Settings) {
		rules := s[githubtest.Repo+"/environments/bl01t"].(object)["protection_rules"].([]object)
		rules[0]["prevent_self_review"] = false
	},
	"open: environment bl01t: runs of all branches and tags get its secrets; let main alone": func(
		s githubtest.Settings,
	) {
		delete(s[githubtest.Repo+"/environments/bl01t"].(object), "deployment_branch_policy")
	},
	"open: environment bl01t: runs of every protected branch get": func(s githubtest.Settings) {
		environment := s[githubtest.Repo+"/environments/bl01t"].(object)
		environment["deployment_branch_policy"] = object{"protected_branches": true}
	},
	"open: environment bl01t: runs of branch release/*, tag main get": func(s githubtest.Settings) {
		s[githubtest.Repo+"/environments/bl01t/deployment-branch-policies"] = object{
			"total_count": 3, "branch_policies": []object{
				{"name": "main", "type": "branch"}, {"name": "release/*", "type": "branch"},
				{"name": "main", "type": "tag"},
			},
		}
	},
	"open: environment bl01t: runs of more branches than one page shows": func(s githubtest.Settings) {
		s[githubtest.Repo+"/environments/bl01t/deployment-branch-policies"].(object)["total_count"] = 31
	},
	"open: environment bl01t: administrators may go past it": func(s githubtest.Settings) {
		s[githubtest.Repo+"/environments/bl01t"].(object)["can_admins_bypass"] = true
	},
	`open: workflow token: its permission is "write" where a workflow names none`: func(s githubtest.Settings) {
		s[githubtest.Repo+"/actions/permissions/workflow"].(object)["default_workflow_permissions"] = "write"
	},
	"open: workflow token: it can approve pull requests": func(s githubtest.Settings) {
		s[githubtest.Repo+"/actions/permissions/workflow"].(object)["can_approve_pull_request_reviews"] = true
	},
	"open: pull requests of forks: some outside contributors run workflows unasked: first time contributors": func(
		s githubtest.Settings,
	) {
		s[githubtest.Repo+"/actions/permissions/fork-pr-contributor-approval"] = object{
			"approval_policy": "first_time_contributors",
		}
	},
	"open: pull requests of forks: they run workflows unasked": func(s githubtest.Settings) {
		s[githubtest.Repo].(object)["private"] = true
		s[githubtest.Repo+"/actions/permissions/fork-pr-workflows-private-repos"] = object{
			"run_workflows_from_fork_pull_requests": true,
		}
	},
	"open: pull requests of forks: their workflows get secrets": func(s githubtest.Settings) {
		s[githubtest.Repo].(object)["private"] = true
		s[githubtest.Repo+"/actions/permissions/fork-pr-workflows-private-repos"] = object{
			"run_workflows_from_fork_pull_requests": true, "require_approval_for_fork_pr_workflows": true,
			"send_secrets_and_variables": true,
		}
	},
	"open: runners of the repository: 2 of its own": func(s githubtest.Settings) {
		s[githubtest.Repo+"/actions/runners"] = object{"total_count": 2}
	},
	"open: runner group beamlines: it takes public repositories": func(s githubtest.Settings) {
		groups := s[githubtest.Org+"/actions/runner-groups"].(object)["runner_groups"].([]object)
		groups[0]["allows_public_repositories"] = true
	},
}

func TestDoctorFindsWhatIsOpen(t *testing.T) {
	for want, change := range whatIsOpen {
		t.Run(want, func(t *testing.T) {
			s := githubtest.NewSettings()
			change(s)
			require.Contains(t, strings.Join(examine(t, s), "\n"), want)
		})
	}
}

// The older protection of a branch says what rulesets do not.
func TestDoctorTakesBranchProtection(t *testing.T) {
	s := githubtest.NewSettings()
	s[githubtest.Repo+"/rules/branches/main"] = []any{}
	require.Len(t, examine(t, s), 1, "what is not found is not known to be open")
	s[githubtest.Repo+"/branches/main/protection"] = object{
		"required_pull_request_reviews": object{"required_approving_review_count": 1},
		"allow_force_pushes":            object{"enabled": false}, "allow_deletions": object{"enabled": false},
	}
	require.Empty(t, examine(t, s))
}

// What can't be read is not known, with what the token lacks, and never well.
func TestDoctorDoesNotKnow(t *testing.T) {
	for path, right := range map[string]string{
		"/rulesets":            "give the token the right metadata: read",
		"/rulesets/2":          "give the token the right metadata: read",
		"/rules/branches/main": "give the token the right administration: read",
		"/environments/bl01t":  "give the token the right actions: read",
		"/environments/bl01t/deployment-branch-policies":    "give the token the right actions: read",
		"/actions/permissions/workflow":                     "give the token the right administration: read",
		"/actions/permissions/fork-pr-contributor-approval": "give the token the right administration: read",
		"/actions/runners":                                  "give the token the right administration: read",
		githubtest.Org + "/actions/runner-groups":           "self-hosted runners: read of the organization",
	} {
		if !strings.HasPrefix(path, githubtest.Org) {
			path = githubtest.Repo + path
		}
		for name, c := range map[string]struct {
			answer any
			want   string
		}{
			"forbidden": {http.StatusForbidden, right},
			"broken":    {http.StatusBadGateway, "run this again"},
			"no object": {"yes", ""},
		} {
			t.Run(path+" "+name, func(t *testing.T) {
				s := githubtest.NewSettings()
				s[path] = c.answer
				lines := examine(t, s)
				require.Len(t, lines, 1)
				require.True(t, strings.HasPrefix(lines[0], "not known: "), lines[0])
				require.Contains(t, lines[0], c.want)
				require.NotContains(t, lines[0], githubtest.Token)
			})
		}
	}
	for _, path := range []string{
		"/environments/bl01t", "/actions/permissions/workflow", "/actions/permissions/fork-pr-contributor-approval",
		"/actions/runners",
	} {
		s := githubtest.NewSettings()
		s[githubtest.Repo+path] = object{}
		lines := examine(t, s)
		require.Len(t, lines, 1, path)
		require.Contains(t, lines[0], "the answer does not say; see it there")
	}
	groups := githubtest.NewSettings()
	groups[githubtest.Org+"/actions/runner-groups"] = object{"total_count": 2, "runner_groups": []object{
		{"name": "hidden"}, {"name": "all", "allows_public_repositories": true},
	}}
	require.Equal(t, []string{
		"not known: runner group hidden: the answer does not say; see it there",
		"open: runner group all: it takes public repositories, and so their forks; do not allow public repositories",
	}, examine(t, groups), "one that says nothing hides no other")
	private := githubtest.NewSettings()
	private[githubtest.Repo].(object)["private"] = true
	private[githubtest.Repo+"/actions/permissions/fork-pr-workflows-private-repos"] = object{}
	require.Equal(t, []string{
		"not known: pull requests of forks: the answer does not say; see it there",
	}, examine(t, private))
}

// A repository that can't be read, or an answer that says nothing of it, is an error,
// and so is a person who stops it. A redirect takes the token nowhere.
func TestDoctorOfNoRepository(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("the request went elsewhere")
	}))
	defer elsewhere.Close()
	for name, h := range map[string]http.Handler{
		"not found":  (&githubtest.GitHub{Settings: githubtest.Settings{}}).Handler(),
		"says less":  (&githubtest.GitHub{Settings: githubtest.Settings{githubtest.Repo: object{}}}).Handler(),
		"redirected": http.RedirectHandler(elsewhere.URL, http.StatusFound),
	} {
		t.Run(name, func(t *testing.T) {
			all, err := open(t, h).Doctor(t.Context(), patient)
			require.Empty(t, all)
			require.Equal(t, diag.Broken, diag.KindOf(err))
			require.ErrorContains(t, err, "reading on GitHub repository some-org/site: ")
			require.NotContains(t, err.Error(), githubtest.Token)
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	h := (&githubtest.GitHub{Settings: githubtest.NewSettings()}).Handler()
	_, err := open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/rulesets") {
			cancel()
		}
		h.ServeHTTP(w, r)
	})).Doctor(ctx, patient)
	require.ErrorIs(t, err, context.Canceled)
}
