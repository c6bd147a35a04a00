package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-github/v62/github"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// State is what is known of a setting.
type State string

// The states of a setting.
const (
	Set     State = "set"       // it is as it should be
	Unset   State = "open"      // it leaves something open
	Unknown State = "not known" // it can't be read
)

// Finding is what Doctor found about one thing that a site sets on GitHub.
type Finding struct {
	State State  `json:"state"`
	What  string `json:"what"`            // "tags", "environment bl01t"
	Is    string `json:"is"`              // how it is, or why that can't be read
	Want  string `json:"want,omitempty"`  // how it should be, or the permission that the token lacks; empty when it is
	Where string `json:"where,omitempty"` // the page of GitHub's settings
}

// Site is what a repository has that GitHub's settings must protect.
type Site struct {
	Tags      []string // one of each asset, as somebody may make it next
	Beamlines []string // each of which is promoted from an environment of that name
}

// Doctor looks at what a site must set on GitHub, and changes nothing. What can't be
// read is a Finding too; the error is of a repository of which nothing can be read.
func (r *Repository) Doctor(ctx context.Context, s Site) ([]Finding, error) {
	repo, _, err := r.client.Repositories.Get(ctx, r.owner, r.name)
	if err == nil && (repo.GetDefaultBranch() == "" || repo.Private == nil || repo.GetOwner().GetType() == "") {
		err = errors.New("the answer names no default branch, owner or visibility")
	}
	if err != nil {
		return nil, &diag.Error{
			Kind: diag.Broken, Doing: "reading on GitHub repository", Asset: r.owner + "/" + r.name, Err: r.clean(err),
			Fix: r.fix(err, "run this again", "give GITHUB_TOKEN the right to read the repository's metadata"),
		}
	}
	all := r.tags(ctx, s.Tags)
	all = append(all, r.branch(ctx, repo.GetDefaultBranch())...)
	for _, beamline := range s.Beamlines {
		all = append(all, r.protected(ctx, beamline, repo.GetDefaultBranch())...)
	}
	all = append(all, r.workflowToken(ctx)...)
	all = append(all, r.forks(ctx, repo.GetPrivate())...)
	all = append(all, r.runners(ctx, repo)...)
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	return all, nil
}

// topic is something that a site sets on GitHub.
type topic struct {
	what  string
	where string // the page of the settings
	right string // that a token needs to read it
}

// wish is one thing that should be so.
type wish struct {
	so   bool
	is   string // what is, where it is not so
	want string // what should be
}

// judge returns a finding for each wish that is not so, or one that all are.
func (t topic) judge(well string, wishes ...wish) (all []Finding) {
	for _, w := range wishes {
		if !w.so {
			all = append(all, Finding{State: Unset, What: t.what, Is: w.is, Want: w.want, Where: t.where})
		}
	}
	if len(all) == 0 {
		all = []Finding{{State: Set, What: t.what, Is: well}}
	}
	return all
}

// unknown returns the finding of what can't be read.
func (t topic) unknown(r *Repository, err error) []Finding {
	want := r.fix(err, "run this again", "give the token the right "+t.right)
	if errors.Is(err, errSilent) {
		want = "see it there"
	}
	return []Finding{{State: Unknown, What: t.what, Is: r.clean(err).Error(), Want: want, Where: t.where}}
}

// errSilent is the fault of an answer that lacks what was asked for.
var errSilent = errors.New("the answer does not say")

// get reads what stands at a path of the repository, such as "/rulesets".
func (r *Repository) get(ctx context.Context, path string, into any) (next int, err error) {
	req, err := r.client.NewRequest(http.MethodGet, "repos/"+r.owner+"/"+r.name+path, nil)
	if err != nil {
		return 0, err
	}
	answer, err := r.client.Do(ctx, req, into)
	if err != nil {
		return 0, err
	}
	return answer.NextPage, nil
}

// list reads all pages of a list at a path of the repository.
func list[T any](ctx context.Context, r *Repository, path string) (all []T, err error) {
	for page := 1; page != 0; {
		var some []T
		page, err = r.get(ctx, fmt.Sprintf("%s?includes_parents=true&per_page=100&page=%d", path, page), &some)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// rule is a rule of a ruleset. go-github's own type refuses answers with kinds of rules
// that are newer than it is.
type rule struct {
	Type       string `json:"type"`
	Parameters struct {
		Reviews int `json:"required_approving_review_count"`
	} `json:"parameters"`
}

// branch looks at the rules of the default branch: those of rulesets and, where these
// lack something, those of its branch protection.
func (r *Repository) branch(ctx context.Context, name string) []Finding {
	t := topic{"branch " + name, "Settings, Rules, Rulesets", "administration: read"}
	rules, err := list[rule](ctx, r, "/rules/branches/"+url.PathEscape(name))
	if err != nil {
		return t.unknown(r, err)
	}
	reviewed, forced, deleted := false, true, true
	for _, rule := range rules {
		reviewed = reviewed || rule.Type == "pull_request" && rule.Parameters.Reviews > 0
		forced = forced && rule.Type != "non_fast_forward"
		deleted = deleted && rule.Type != "deletion"
	}
	if !reviewed || forced || deleted {
		p, _, err := r.client.Repositories.GetBranchProtection(ctx, r.owner, r.name, name)
		if err != nil && !errors.Is(err, github.ErrBranchNotProtected) {
			return t.unknown(r, err)
		}
		if err == nil && p != nil {
			must := p.RequiredPullRequestReviews
			reviewed = reviewed || must != nil && must.RequiredApprovingReviewCount > 0
			forced = forced && (p.AllowForcePushes == nil || p.AllowForcePushes.Enabled)
			deleted = deleted && (p.AllowDeletions == nil || p.AllowDeletions.Enabled)
		}
	}
	return t.judge(
		"changes are reviewed, and nobody rewrites or deletes it",
		wish{reviewed, "changes need no review", "require a pull request with an approval before merging"},
		wish{!forced, "its history can be rewritten", "block force pushes"},
		wish{!deleted, "it can be deleted", "restrict deletions"},
	)
}

// workflowToken looks at what a workflow's token may do where the workflow does not say.
func (r *Repository) workflowToken(ctx context.Context) []Finding {
	t := topic{"workflow token", "Settings, Actions, General, Workflow permissions", "administration: read"}
	p, _, err := r.client.Repositories.GetDefaultWorkflowPermissions(ctx, r.owner, r.name)
	if err == nil && (p.GetDefaultWorkflowPermissions() == "" || p.CanApprovePullRequestReviews == nil) {
		err = errSilent
	}
	if err != nil {
		return t.unknown(r, err)
	}
	return t.judge(
		"it reads, and approves nothing",
		wish{
			p.GetDefaultWorkflowPermissions() == "read",
			fmt.Sprintf("its permission is %q where a workflow names none", p.GetDefaultWorkflowPermissions()),
			"read repository contents and packages permissions",
		},
		wish{
			!p.GetCanApprovePullRequestReviews(), "it can approve pull requests",
			"do not allow GitHub Actions to create and approve pull requests",
		},
	)
}

// forks looks at whose pull requests run workflows.
func (r *Repository) forks(ctx context.Context, private bool) []Finding {
	t := topic{"pull requests of forks", "Settings, Actions, General", "administration: read"}
	if !private {
		var p struct {
			Approval string `json:"approval_policy"`
		}
		_, err := r.get(ctx, "/actions/permissions/fork-pr-contributor-approval", &p)
		if err == nil && p.Approval == "" {
			err = errSilent
		}
		if err != nil {
			return t.unknown(r, err)
		}
		return t.judge("workflows of outside contributors wait for an approval", wish{
			p.Approval == "all_external_contributors",
			"some outside contributors run workflows unasked: " + strings.ReplaceAll(p.Approval, "_", " "),
			"require approval for all external contributors",
		})
	}
	var p struct {
		Run      *bool `json:"run_workflows_from_fork_pull_requests"`
		Write    bool  `json:"send_write_tokens_to_workflows"`
		Secrets  bool  `json:"send_secrets_and_variables"`
		Approval bool  `json:"require_approval_for_fork_pr_workflows"`
	}
	_, err := r.get(ctx, "/actions/permissions/fork-pr-workflows-private-repos", &p)
	if err == nil && p.Run == nil {
		err = errSilent
	}
	if err != nil {
		return t.unknown(r, err)
	}
	return t.judge(
		"they run no workflow unasked, and get no secret",
		wish{!*p.Run || p.Approval, "they run workflows unasked", "require approval for fork pull request workflows"},
		wish{!*p.Run || !p.Write, "their workflows can write", "do not send write tokens"},
		wish{!*p.Run || !p.Secrets, "their workflows get secrets", "do not send secrets and variables"},
	)
}
