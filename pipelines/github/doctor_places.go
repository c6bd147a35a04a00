package github

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"
	"github.com/google/go-github/v62/github"
)

// ruleset is a ruleset as far as it matters here.
type ruleset struct {
	ID          int64  `json:"id"`
	Target      string `json:"target"`
	Enforcement string `json:"enforcement"`
	Conditions  struct {
		Ref struct {
			Include []string `json:"include"`
			Exclude []string `json:"exclude"`
		} `json:"ref_name"`
	} `json:"conditions"`
	Rules []rule `json:"rules"`
}

// covers reports whether a ruleset has a rule for a tag.
func (s ruleset) covers(tag, kind string) bool {
	matches := func(pattern string) bool { return pattern == "~ALL" || matchesRef(pattern, "refs/tags/"+tag) }
	return slices.ContainsFunc(s.Rules, func(r rule) bool { return r.Type == kind }) &&
		slices.ContainsFunc(s.Conditions.Ref.Include, matches) &&
		!slices.ContainsFunc(s.Conditions.Ref.Exclude, matches)
}

// matchesRef reports whether a pattern of GitHub matches a ref. There ** is all folders
// only before a slash, and like * elsewhere.
func matchesRef(pattern, ref string) bool {
	pieces := strings.Split(pattern, "/")
	for i, piece := range pieces {
		if piece != "**" || i == len(pieces)-1 {
			for strings.Contains(piece, "**") {
				piece = strings.ReplaceAll(piece, "**", "*")
			}
			pieces[i] = piece
		}
	}
	ok, err := doublestar.Match(strings.Join(pieces, "/"), ref)
	return ok && err == nil
}

// bare is a tag that names no asset. A workflow that runs for one signs the release of
// that version of any asset, as a repository of one asset has such tags.
const bare = "1.0.0"

// tags looks for rulesets that say who makes, moves and deletes the tags of releases.
func (r *Repository) tags(ctx context.Context, tags []string) []Finding {
	t := topic{"tags", "Settings, Rules, Rulesets, New tag ruleset", "metadata: read"}
	known, err := list[ruleset](ctx, r, "/rulesets")
	if err != nil {
		return t.unknown(r, err)
	}
	var active []ruleset
	for _, s := range known {
		if s.Target != "tag" || s.Enforcement != "active" {
			continue
		}
		var whole ruleset // a list has no rules
		if _, err := r.get(ctx, fmt.Sprintf("/rulesets/%d?includes_parents=true", s.ID), &whole); err != nil {
			return t.unknown(r, err)
		}
		if whole.Target == "tag" && whole.Enforcement == "active" {
			active = append(active, whole)
		}
	}
	tags = append(slices.Clone(tags), bare)
	wishFor := func(kind, is, want string) wish {
		var open []string
		for _, tag := range tags {
			if !slices.ContainsFunc(active, func(s ruleset) bool { return s.covers(tag, kind) }) {
				open = append(open, tag)
			}
		}
		example := ""
		if len(open) > 0 {
			example = open[0]
		}
		return wish{len(open) == 0, fmt.Sprintf(is, example), want + ", for tags **/*"}
	}
	return t.judge(
		"rulesets say who makes, moves and deletes those of releases",
		wishFor("creation", "whoever may push makes tags such as %s, which are released", "restrict creations"),
		wishFor("update", "whoever may push moves tags such as %s", "restrict updates"),
		wishFor("deletion", "whoever may push deletes tags such as %s", "restrict deletions"),
	)
}

// protected looks at the environment from which a beamline is promoted.
func (r *Repository) protected(ctx context.Context, beamline, branch string) []Finding {
	t := topic{"environment " + beamline, "Settings, Environments, " + beamline, "actions: read"}
	e, _, err := r.client.Repositories.GetEnvironment(ctx, r.owner, r.name, beamline)
	if status(err) == http.StatusNotFound {
		return t.judge("", wish{
			false, "there is none, and GitHub makes one without reviewers when a workflow first names it",
			"make it, with required reviewers",
		})
	}
	if err == nil && (e.GetName() != beamline || e.CanAdminsBypass == nil) {
		err = errSilent
	}
	if err != nil {
		return t.unknown(r, err)
	}
	reviewers, self := 0, true
	for _, rule := range e.ProtectionRules {
		if rule.GetType() == "required_reviewers" {
			reviewers, self = reviewers+len(rule.Reviewers), self && !rule.GetPreventSelfReview()
		}
	}
	from, err := r.mayDeploy(ctx, e, branch)
	if err != nil {
		return t.unknown(r, err)
	}
	return t.judge(
		"somebody else reviews each run, which is of "+branch,
		wish{reviewers > 0, "it asks nobody", "name required reviewers"},
		wish{!self, "who starts a run may review it", "prevent self-review"},
		wish{from == "", "runs of " + from + " get its secrets", "let " + branch + " alone deploy to it"},
		wish{
			!e.GetCanAdminsBypass(), "administrators may go past it",
			"do not allow administrators to bypass its protection rules",
		},
	)
}

// mayDeploy returns what may deploy to an environment beside a branch; empty for
// nothing.
func (r *Repository) mayDeploy(ctx context.Context, e *github.Environment, branch string) (string, error) {
	switch p := e.DeploymentBranchPolicy; {
	case p == nil || !p.GetProtectedBranches() && !p.GetCustomBranchPolicies():
		return "all branches and tags", nil
	case p.GetProtectedBranches():
		return "every protected branch", nil
	}
	may, _, err := r.client.Repositories.ListDeploymentBranchPolicies(ctx, r.owner, r.name, e.GetName())
	if err != nil {
		return "", err
	}
	var others []string
	for _, p := range may.BranchPolicies {
		if p.GetName() != branch || p.GetType() == "tag" {
			others = append(others, strings.TrimSpace(p.GetType()+" "+p.GetName()))
		}
	}
	if may.GetTotalCount() != len(may.BranchPolicies) {
		others = append(others, "more branches than one page shows")
	}
	return strings.Join(others, ", "), nil
}

// runners looks at who may use the runners of the site.
func (r *Repository) runners(ctx context.Context, repo *github.Repository) (all []Finding) {
	if !repo.GetPrivate() {
		all = append(all, r.ownRunners(ctx)...)
	}
	if repo.GetOwner().GetType() != "Organization" {
		return all // only organizations have groups
	}
	t := topic{
		"runner groups", "the organization's Settings, Actions, Runner groups",
		"self-hosted runners: read of the organization",
	}
	opts := &github.ListOrgRunnerGroupOptions{VisibleToRepository: r.name}
	opts.PerPage = 100
	var groups []*github.RunnerGroup
	for {
		some, answer, err := r.client.Actions.ListOrganizationRunnerGroups(ctx, r.owner, opts)
		if err != nil {
			return append(all, t.unknown(r, err)...)
		}
		groups = append(groups, some.RunnerGroups...)
		if opts.Page = answer.NextPage; opts.Page == 0 {
			break
		}
	}
	for _, g := range groups {
		t.what = "runner group " + g.GetName()
		if g.AllowsPublicRepositories == nil {
			all = append(all, t.unknown(r, errSilent)...)
			continue
		}
		all = append(all, t.judge("it takes no public repository", wish{
			!g.GetAllowsPublicRepositories(), "it takes public repositories, and so their forks",
			"do not allow public repositories",
		})...)
	}
	return all
}

// ownRunners looks at the runners of a public repository itself.
func (r *Repository) ownRunners(ctx context.Context) []Finding {
	t := topic{"runners of the repository", "Settings, Actions, Runners", "administration: read"}
	var runners struct {
		Count *int `json:"total_count"`
	}
	_, err := r.get(ctx, "/actions/runners?per_page=1", &runners)
	if err == nil && runners.Count == nil {
		err = errSilent
	}
	if err != nil {
		return t.unknown(r, err)
	}
	return t.judge("there are none that a fork could use", wish{
		*runners.Count == 0, fmt.Sprintf("%d of its own take workflows of forks", *runners.Count),
		"put them into a runner group of an organization, for promote.yml alone",
	})
}
