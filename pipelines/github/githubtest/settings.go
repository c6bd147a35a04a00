package githubtest

import (
	"fmt"
	"net/http"
	"strconv"
)

// Settings is what GitHub says of a repository's settings, by the path that it is asked
// at: an int is a status that it answers with, everything else is shown as JSON, a []any
// an element a page. A path that is not there is not found.
type Settings map[string]any

// object is an object of JSON.
type object = map[string]any

// Paths of NewSettings, below which a repository or its organization has settings.
const (
	Repo = "/repos/some-org/site"
	Org  = "/orgs/some-org"
)

// NewSettings returns those of a public repository of an organization that leave
// nothing open for the beamline bl01t.
func NewSettings() Settings {
	tags := object{
		"id": 2, "name": "releases", "target": "tag", "enforcement": "active",
		"conditions": object{"ref_name": object{"include": []string{"refs/tags/**/*"}, "exclude": []string{}}},
		"rules":      []object{{"type": "creation"}, {"type": "update"}, {"type": "deletion"}},
	}
	listed := func(id int, target string) object {
		return object{"id": id, "target": target, "enforcement": "active"}
	}
	return Settings{
		Repo: object{
			"default_branch": "main", "private": false, "owner": object{"login": "some-org", "type": "Organization"},
		},
		Repo + "/rulesets":   []any{listed(1, "branch"), listed(2, "tag")},
		Repo + "/rulesets/2": tags,
		Repo + "/rules/branches/main": []any{
			object{"type": "pull_request", "parameters": object{"required_approving_review_count": 1}},
			object{"type": "of_next_year"}, object{"type": "non_fast_forward"}, object{"type": "deletion"},
		},
		Repo + "/environments/bl01t": Environment("bl01t"),
		Repo + "/environments/bl01t/deployment-branch-policies": object{
			"total_count": 1, "branch_policies": []object{{"name": "main", "type": "branch"}},
		},
		Repo + "/actions/permissions/workflow": object{
			"default_workflow_permissions": "read", "can_approve_pull_request_reviews": false,
		},
		Repo + "/actions/permissions/fork-pr-contributor-approval": object{
			"approval_policy": "all_external_contributors",
		},
		Repo + "/actions/runners": object{"total_count": 0, "runners": []object{}},
		Org + "/actions/runner-groups": object{
			"total_count":   1,
			"runner_groups": []object{{"name": "beamlines", "allows_public_repositories": false}},
		},
	}
}

// Environment returns an environment that leaves nothing open.
func Environment(name string) map[string]any {
	return object{
		"id": 7, "name": name, "can_admins_bypass": false,
		"protection_rules": []object{{
			"type": "required_reviewers", "prevent_self_review": true,
			"reviewers": []object{{"type": "User", "reviewer": object{"login": "ajp"}}},
		}},
		"deployment_branch_policy": object{"protected_branches": false, "custom_branch_policies": true},
	}
}

// answer answers at one of the paths.
func (s Settings) answer(r *http.Request) (int, any) {
	v, ok := s[r.URL.Path]
	switch v := v.(type) {
	case int:
		return fail(v, http.StatusText(v))
	case []any:
		n, _ := strconv.Atoi(r.URL.Query().Get("page"))
		n = max(n, 1)
		p := page{list: v[min(n-1, len(v)):min(n, len(v))]}
		if n < len(v) {
			p.next = fmt.Sprintf("http://%s%s?page=%d", r.Host, r.URL.Path, n+1)
		}
		return http.StatusOK, p
	}
	if !ok {
		return fail(http.StatusNotFound, "Not Found")
	}
	return http.StatusOK, v
}
