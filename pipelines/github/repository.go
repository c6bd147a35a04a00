package github

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/google/go-github/v62/github"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// PublicAPI is the address of the API of github.com.
const PublicAPI = "https://api.github.com"

// Repository is one repository on GitHub, or on a GitHub server of a site's own.
type Repository struct {
	client      *github.Client
	owner, name string
	token       string // never in an error
}

// Open returns the repository "owner/name" at the address of an API, such as
// "https://api.github.com". No request is sent yet. The error is of kind Invalid
// when the name, the address or the token is missing or malformed.
func Open(api, repository, token string) (*Repository, error) {
	owner, name, ok := strings.Cut(repository, "/")
	base, err := url.Parse(strings.TrimSuffix(api, "/") + "/")
	switch {
	case !ok || owner == "" || name == "" || strings.Contains(name, "/"):
		return nil, &diag.Error{
			Kind:  diag.Invalid,
			Doing: "opening GitHub repository",
			Asset: repository,
			Fix:   "write owner/name in GITHUB_REPOSITORY",
		}
	case err != nil || base.Host == "":
		return nil, &diag.Error{
			Kind:  diag.Invalid,
			Doing: "opening GitHub's API",
			Asset: api,
			Fix:   "write its address in GITHUB_API_URL, as in https://api.github.com",
		}
	case token == "":
		return nil, &diag.Error{
			Kind:  diag.Invalid,
			Doing: "opening GitHub repository",
			Asset: repository,
			Fix:   "give a token of it in GITHUB_TOKEN",
		}
	}
	// The client's transport adds the token to every request, those that an answer
	// led to as well.
	stays := &http.Client{CheckRedirect: func(req *http.Request, via []*http.Request) error {
		if req.URL.Host != base.Host || len(via) >= 10 {
			return fmt.Errorf("the answer leads to %s", req.URL.Host)
		}
		return nil
	}}
	client := github.NewClient(stays).WithAuthToken(token)
	client.BaseURL = base
	return &Repository{client: client, owner: owner, name: name, token: token}, nil
}

// wanted is a release page as it should be.
type wanted struct {
	tag, commit, title, notes string
	mark                      string // what notes have that Tagline wrote
	prerelease, latest        bool
	file                      string // name of the attachment
	record                    []byte // its content
}

// put makes a release page: first a draft, which nobody sees, then its attachment,
// then it is published. It finishes a draft of ours, leaves a published page
// alone, and attaches the record to a page that lacks it.
func (r *Repository) put(ctx context.Context, w wanted) (*github.RepositoryRelease, error) {
	if err := r.sameCommit(ctx, w); err != nil {
		return nil, err
	}
	there, err := r.find(ctx, w.tag)
	if err != nil {
		return nil, err
	}
	if there == nil {
		there, _, err = r.client.Repositories.CreateRelease(ctx, r.owner, r.name, &github.RepositoryRelease{
			TagName: &w.tag, TargetCommitish: &w.commit, Name: &w.title, Body: &w.notes,
			Draft: github.Bool(true), Prerelease: &w.prerelease, MakeLatest: github.String("false"),
		})
		if err != nil {
			return nil, r.fault("drafting", w.tag, err)
		}
	}
	if err := r.attach(ctx, there, w); err != nil {
		return nil, err
	}
	if !there.GetDraft() || !ours(there, w.mark) {
		return there, nil
	}
	latest := "false"
	if w.latest {
		latest = "true"
	}
	there, _, err = r.client.Repositories.EditRelease(ctx, r.owner, r.name, there.GetID(), &github.RepositoryRelease{
		TagName:    &w.tag,
		Name:       &w.title,
		Body:       &w.notes,
		Draft:      github.Bool(false),
		Prerelease: &w.prerelease,
		MakeLatest: &latest,
	})
	if err != nil {
		return nil, r.fault("publishing", w.tag, err)
	}
	return there, nil
}

// ours reports whether Tagline wrote a page's notes.
func ours(there *github.RepositoryRelease, mark string) bool {
	return strings.Contains(there.GetBody(), mark)
}

// sameCommit checks that GitHub's tag is the one that was released: GitHub
// creates a tag that it does not have.
func (r *Repository) sameCommit(ctx context.Context, w wanted) error {
	there, _, err := r.client.Repositories.GetCommitSHA1(ctx, r.owner, r.name, "tags/"+w.tag, "")
	if status(err) == http.StatusNotFound || status(err) == http.StatusUnprocessableEntity {
		return &diag.Error{Kind: diag.Invalid, Doing: "looking on GitHub for tag", Asset: w.tag, Err: r.clean(err),
			Fix: "push it with git push origin " + w.tag + ", or see that GITHUB_TOKEN may read the repository"}
	}
	if err != nil {
		return r.fault("looking for", w.tag, err)
	}
	if there != w.commit {
		return moved(w.tag, "on GitHub", there, w.commit)
	}
	return nil
}

// find returns the release page of a tag, published or a draft; nil when there is none.
func (r *Repository) find(ctx context.Context, tag string) (*github.RepositoryRelease, error) {
	there, _, err := r.client.Repositories.GetReleaseByTag(ctx, r.owner, r.name, tag)
	if err == nil {
		return there, nil
	}
	if status(err) != http.StatusNotFound {
		return nil, r.fault("looking for", tag, err)
	}
	for opts := (&github.ListOptions{PerPage: 100}); ; { // a draft is not found by its tag
		list, answer, err := r.client.Repositories.ListReleases(ctx, r.owner, r.name, opts)
		if err != nil {
			return nil, r.fault("looking for", tag, err)
		}
		for _, there := range list {
			if there.GetTagName() == tag {
				return there, nil
			}
		}
		if opts.Page = answer.NextPage; opts.Page == 0 {
			return nil, nil
		}
	}
}

// attach attaches the record to a page, whole and once.
func (r *Repository) attach(ctx context.Context, to *github.RepositoryRelease, w wanted) error {
	for _, a := range to.Assets {
		if a.GetName() != w.file {
			continue
		}
		same, err := r.holds(ctx, a, w.record)
		if err != nil {
			return r.fault("reading the record at", w.tag, err)
		}
		if same {
			return nil
		}
		if a.GetState() == "uploaded" && !to.GetDraft() {
			return &diag.Error{Kind: diag.Refused, Doing: "making the GitHub release of " + w.tag, Asset: w.file,
				Err: errOther, Fix: "find out who attached it, delete it there, and run this again"}
		}
		if _, err := r.client.Repositories.DeleteReleaseAsset(ctx, r.owner, r.name, a.GetID()); err != nil {
			return r.fault("replacing the record at", w.tag, err)
		}
	}
	where, _, _ := strings.Cut(to.GetUploadURL(), "{")
	req, err := r.client.NewUploadRequest(
		where+"?"+url.Values{"name": {w.file}}.Encode(),
		bytes.NewReader(w.record),
		int64(len(w.record)),
		"application/json",
	)
	if err == nil {
		_, err = r.client.Do(ctx, req, nil)
	}
	if err != nil {
		return r.fault("attaching the record to", w.tag, err)
	}
	return nil
}

// holds reports whether an attachment is whole and has this content.
func (r *Repository) holds(ctx context.Context, a *github.ReleaseAsset, content []byte) (bool, error) {
	if a.GetState() != "uploaded" || a.GetSize() != len(content) {
		return false, nil
	}
	body, _, err := r.client.Repositories.DownloadReleaseAsset(ctx, r.owner, r.name, a.GetID(), http.DefaultClient)
	if err != nil {
		return false, err
	}
	defer body.Close()
	there, err := io.ReadAll(io.LimitReader(body, int64(len(content))+1))
	return bytes.Equal(there, content), err
}
