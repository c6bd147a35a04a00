package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/google/go-github/v62/github"

	"github.com/tagline-ci/tagline/pipelines/approval"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/policy"
)

// Promotion is a run of a workflow that promotes a beamline, as the run itself
// knows it.
type Promotion struct {
	Beamline, Version string
	Run               int64 // its number, GITHUB_RUN_ID
}

// question is what is asked about one promotion.
type question struct {
	*Repository
	Promotion
	want *policy.Approvals
}

// title is what the workflow calls a run: its run-name.
func (p Promotion) title() string { return "promote " + p.Beamline + " to " + p.Version }

// Approvals returns the reviews that let a run begin, judged as approvals by a
// policy that takes them from GitHub. The error is of kind Refused when the run is
// not one that may promote this, and when any part could not be read.
func (r *Repository) Approvals(ctx context.Context, want *policy.Approvals, p Promotion) ([]approval.Judged, error) {
	q := question{r, p, want}
	run, err := q.run(ctx)
	if err != nil {
		return nil, err
	}
	environment, err := q.environment(ctx)
	if err != nil {
		return nil, err
	}
	reviews, err := q.reviews(ctx)
	if err != nil {
		return nil, err
	}
	var all []approval.Judged
	for _, v := range reviews {
		if !v.about(environment) {
			continue
		}
		j := approval.Judged{Statement: approval.Statement{
			Approval: approval.Approval{ID: fmt.Sprintf("run %d", p.Run), Beamline: p.Beamline, Version: p.Version},
			Signer:   "GitHub user " + v.User.GetLogin(),
		}}
		if j.By, err = q.approver(ctx, v.User.GetLogin()); err != nil {
			return nil, err
		}
		j.Why = why(v, j.By, run, want.Self)
		j.Good = j.Why == ""
		all = append(all, j)
	}
	return all, nil
}

// why returns why a review does not count, empty when it does.
func why(v review, by string, run *github.WorkflowRun, self bool) string {
	started := []string{run.GetActor().GetLogin(), run.GetTriggeringActor().GetLogin()}
	switch {
	case v.State != "approved":
		return fmt.Sprintf("the review says %q", v.State)
	case by == "":
		return "it is by " + v.User.GetLogin() + ", who is no approver of the policy"
	case !self && slices.ContainsFunc(started, func(s string) bool { return strings.EqualFold(s, v.User.GetLogin()) }):
		return "it is by who started the run, and the policy wants somebody else"
	}
	return ""
}

// run returns the run, when it is the policy's workflow, started by hand for this
// beamline and version, at a commit of the default branch, and goes on now.
func (q question) run(ctx context.Context) (*github.WorkflowRun, error) {
	run, _, err := q.client.Actions.GetWorkflowRunByID(ctx, q.owner, q.name, q.Run)
	if err != nil {
		return nil, q.unread("the run", err)
	}
	workflow, _, err := q.client.Actions.GetWorkflowByID(ctx, q.owner, q.name, run.GetWorkflowID())
	if err != nil {
		return nil, q.unread("the run's workflow", err)
	}
	repo, _, err := q.client.Repositories.Get(ctx, q.owner, q.name)
	if err != nil {
		return nil, q.unread("the repository", err)
	}
	branch := repo.GetDefaultBranch()
	var faults []error
	must := func(what, is, want string) {
		if is != want || is == "" {
			faults = append(faults, q.refused("start a new run of "+want, "%s is %q, not %q", what, is, want))
		}
	}
	must("the run's number", fmt.Sprint(run.GetID()), fmt.Sprint(q.Run))
	must("its workflow", workflow.GetPath(), path.Join(".github/workflows", q.want.GitHub.Workflow))
	must("its title", run.GetDisplayTitle(), q.title())
	must("what started it", run.GetEvent(), "workflow_dispatch")
	must("its branch", run.GetHeadBranch(), branch)
	must("the repository of its commit", run.GetHeadRepository().GetFullName(), q.owner+"/"+q.name)
	must("its state", run.GetStatus(), "in_progress")
	must("its attempt", fmt.Sprint(run.GetRunAttempt()), "1")
	if run.GetActor().GetLogin() == "" || run.GetTriggeringActor().GetLogin() == "" {
		faults = append(faults, q.refused("start a new run", "GitHub does not say who started the run"))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return run, q.onBranch(ctx, run.GetHeadSHA(), branch)
}

// onBranch checks that a commit is on a branch, as it is now.
func (q question) onBranch(ctx context.Context, commit, branch string) error {
	between, _, err := q.client.Repositories.CompareCommits(
		ctx, q.owner, q.name, commit, branch, &github.ListOptions{PerPage: 1},
	)
	if err != nil {
		return q.unread("the run's commit", err)
	}
	if s := between.GetStatus(); s != "ahead" && s != "identical" {
		return q.refused("start a new run", "the run's commit %.12s is not on %s", commit, branch)
	}
	return nil
}

// environment returns the environment of a beamline, when it asks somebody.
func (q question) environment(ctx context.Context) (*github.Environment, error) {
	e, _, err := q.client.Repositories.GetEnvironment(ctx, q.owner, q.name, q.Beamline)
	if err != nil {
		return nil, q.unread("the environment", err)
	}
	if e == nil { // GitHub answered null
		e = &github.Environment{}
	}
	reviewed := slices.ContainsFunc(e.ProtectionRules, func(p *github.ProtectionRule) bool {
		return p.GetType() == "required_reviewers" && len(p.Reviewers) > 0
	})
	switch {
	case e.GetName() != q.Beamline || e.GetID() == 0:
		return nil, q.refused(
			"set it up under Settings, Environments", "GitHub's environment is %q, not %q", e.GetName(), q.Beamline,
		)
	case !reviewed:
		return nil, q.refused("give it required reviewers", "GitHub's environment %s asks nobody", q.Beamline)
	}
	return e, nil
}

// review is what somebody said when a run waited for an environment:
// https://docs.github.com/en/rest/actions/workflow-runs#get-the-review-history-for-a-workflow-run
type review struct {
	State        string                `json:"state"` // "approved" or "rejected"
	User         *github.User          `json:"user"`
	Environments []*github.Environment `json:"environments"`
}

// about reports whether a review is about an environment. One that was deleted and
// made again under the same name is another.
func (v review) about(e *github.Environment) bool {
	return v.User.GetLogin() != "" && slices.ContainsFunc(
		v.Environments, func(o *github.Environment) bool { return o.GetID() == e.GetID() },
	)
}

// reviews returns all reviews of a run.
func (q question) reviews(ctx context.Context) (all []review, err error) {
	for page := 1; page != 0; {
		req, err := q.client.NewRequest(http.MethodGet,
			fmt.Sprintf("repos/%s/%s/actions/runs/%d/approvals?per_page=100&page=%d", q.owner, q.name, q.Run, page),
			nil)
		if err != nil {
			return nil, err
		}
		var some []review
		answer, err := q.client.Do(ctx, req, &some)
		if err != nil {
			return nil, q.unread("the run's reviews", err)
		}
		all, page = append(all, some...), answer.NextPage
	}
	return all, nil
}

// approver returns the name of the approver whom a user of GitHub is, empty for
// none. A member of a team that may approve is called by the user's own name.
func (q question) approver(ctx context.Context, user string) (string, error) {
	for _, approver := range q.want.From {
		if strings.EqualFold(approver.GitHub, user) {
			return approver.Name, nil
		}
	}
	for _, approver := range q.want.From {
		org, team, ok := strings.Cut(approver.GitHub, "/")
		if !ok {
			continue
		}
		m, _, err := q.client.Teams.GetTeamMembershipBySlug(ctx, org, team, user)
		if status(err) == http.StatusNotFound {
			// GitHub says so of a team that the token may not see too.
			if _, _, err := q.client.Teams.GetTeamBySlug(ctx, org, team); err != nil {
				return "", q.unread("the team "+approver.GitHub, err)
			}
			continue
		}
		if err != nil {
			return "", q.unread("the members of "+approver.GitHub, err)
		}
		if m.GetState() == "active" {
			return user, nil
		}
	}
	return "", nil
}

// refused is the error of a run that may not promote this.
func (p Promotion) refused(fix, format string, args ...any) error {
	return &diag.Error{
		Kind: diag.Refused, Doing: "reading who approved", Asset: p.Beamline, Version: p.Version,
		Err: fmt.Errorf(format, args...), Fix: fix,
	}
}

// unread is the error of what could not be read: nothing is assumed instead.
func (q question) unread(what string, err error) error {
	const right = "give GITHUB_TOKEN the rights actions: read and contents: read of the job; for teams, a token that may read the organization's members"
	return &diag.Error{
		Kind: diag.Refused, Doing: "reading " + what + " on GitHub for", Asset: q.Beamline, Version: q.Version,
		Err: q.clean(err), Fix: q.fix(err, "run this again", right),
	}
}
