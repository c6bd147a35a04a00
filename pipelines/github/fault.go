package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-github/v62/github"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

var errOther = errors.New("another record is attached than the one in the registry")

// fault returns the error of a request about a tag's page, with what to do.
func (r *Repository) fault(doing, tag string, err error) error {
	return &diag.Error{
		Kind:  diag.Broken,
		Doing: doing + " the GitHub release of",
		Asset: tag,
		Err:   r.clean(err),
		Fix: r.fix(
			err, "run tagline github-release again to finish",
			"give GITHUB_TOKEN the right to write contents: permissions: {contents: write} of the job",
		),
	}
}

// clean returns err without the token, and without the query of an address that
// a download was redirected to, which grants access to its reader.
func (r *Repository) clean(err error) error {
	var sent *url.Error
	if errors.As(err, &sent) {
		err = sent.Err
	}
	var answer *github.ErrorResponse
	if errors.As(err, &answer) && answer.Response != nil {
		answer.Response.Request.URL.RawQuery = ""
	}
	if strings.Contains(err.Error(), r.token) {
		return errors.New(strings.ReplaceAll(err.Error(), r.token, "***"))
	}
	return err
}

// fix returns what a person can do about err: how to do it again, which every
// command allows, and which right the token needs.
func (r *Repository) fix(err error, again, right string) string {
	var limit *github.RateLimitError
	if errors.As(err, &limit) {
		return fmt.Sprintf("wait until %s, then %s", limit.Rate.Reset.UTC().Format(time.RFC3339), again)
	}
	var abuse *github.AbuseRateLimitError
	if errors.As(err, &abuse) {
		return "wait a few minutes, then " + again
	}
	switch status(err) {
	case http.StatusUnauthorized:
		return "give a token that is valid in GITHUB_TOKEN"
	case http.StatusForbidden:
		return right
	case http.StatusNotFound:
		return right + ", in " + r.owner + "/" + r.name
	}
	if errors.Is(err, context.Canceled) || status(err) != 0 {
		return again
	}
	return "see that " + r.client.BaseURL.Host + " can be reached, then " + again
}

// status returns the HTTP status of GitHub's answer; 0 when there was none.
func status(err error) int {
	var answer *github.ErrorResponse
	if errors.As(err, &answer) && answer.Response != nil {
		return answer.Response.StatusCode
	}
	return 0
}
