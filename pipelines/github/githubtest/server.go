// Package githubtest behaves as GitHub's API does with releases and with runs that
// wait for a review, for tests of what speaks to it.
package githubtest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/google/go-github/v62/github"
)

// Token is the one that the server takes.
const Token = "ghs_of_a_test"

// GitHub is one repository, some-org/site, as GitHub's API shows it. The zero
// value is an empty one.
type GitHub struct {
	Commits  map[string]string // by tag
	ReadOnly bool              // the token may not write contents
	Base     string            // where it is served; for Add only
	Run      *Run              // that promotes; nil where there is none
	Settings Settings          // nil where nobody asks for any

	mu       sync.Mutex
	releases []*github.RepositoryRelease // oldest first
	contents map[int64][]byte            // of attachments, by id
	ids      int64
}

// maxBody is the most characters that GitHub takes as notes.
const maxBody = 125_000

// Releases returns all releases, drafts too, oldest first.
func (g *GitHub) Releases() []*github.RepositoryRelease {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.releases)
}

// Content returns what an attachment holds.
func (g *GitHub) Content(a *github.ReleaseAsset) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return string(g.contents[a.GetID()])
}

// Add makes a release as a person does in the browser.
func (g *GitHub) Add(r *github.RepositoryRelease) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.add(r, g.Base)
}

// Attach attaches a file as a person does in the browser; with state "starter"
// as an upload that broke off.
func (g *GitHub) Attach(to *github.RepositoryRelease, name, state, content string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.attach(to, name, state, []byte(content))
}

func (g *GitHub) add(r *github.RepositoryRelease, base string) {
	g.ids++
	r.ID = github.Int64(g.ids)
	r.HTMLURL = github.String(base + "/some-org/site/releases/tag/" + r.GetTagName())
	r.UploadURL = github.String(
		fmt.Sprintf("%s/upload/repos/some-org/site/releases/%d/assets{?name,label}", base, g.ids),
	)
	g.releases = append(g.releases, r)
}

func (g *GitHub) attach(to *github.RepositoryRelease, name, state string, content []byte) *github.ReleaseAsset {
	g.ids++
	a := &github.ReleaseAsset{ID: github.Int64(g.ids), Name: &name, State: &state, Size: github.Int(len(content))}
	if g.contents == nil {
		g.contents = map[int64][]byte{}
	}
	g.contents[g.ids] = content
	to.Assets = append(to.Assets, a)
	return a
}

// Handler answers requests at the root of an API.
func (g *GitHub) Handler() http.Handler {
	const repo = "/repos/some-org/site/"
	mux := http.NewServeMux()
	routes := map[string]func(*http.Request) (int, any){
		"GET " + repo + "commits/{ref...}":                      g.commit,
		"GET " + repo + "releases/tags/{tag...}":                g.byTag,
		"GET " + repo + "releases":                              g.list,
		"POST " + repo + "releases":                             g.create,
		"PATCH " + repo + "releases/{id}":                       g.edit,
		"POST /upload/repos/some-org/site/releases/{id}/assets": g.upload,
		"GET " + repo + "releases/assets/{id}":                  g.download,
		"DELETE " + repo + "releases/assets/{id}":               g.remove,
	}
	if g.Run != nil {
		maps.Copy(routes, g.Run.routes())
	}
	if g.Settings != nil {
		routes["GET /"] = func(r *http.Request) (int, any) { return g.Settings.answer(r) }
	}
	for pattern, h := range routes {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) { g.answer(w, r, h) })
	}
	mux.HandleFunc("GET /blob/{id}", g.blob)
	return mux
}

// answer answers what only a token may ask, as JSON.
func (g *GitHub) answer(w http.ResponseWriter, r *http.Request, h func(*http.Request) (int, any)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	status, v := 0, any(nil)
	switch {
	case r.Header.Get("Authorization") != "Bearer "+Token:
		status, v = fail(http.StatusUnauthorized, "Bad credentials")
	case g.ReadOnly && r.Method != http.MethodGet:
		status, v = fail(http.StatusForbidden, "Resource not accessible by integration")
	default:
		status, v = h(r)
	}
	switch v := v.(type) {
	case string:
		if status == http.StatusFound {
			w.Header().Set("Location", v)
		}
		w.WriteHeader(status)
		io.WriteString(w, v)
	case page:
		if v.next != "" {
			w.Header().Set("Link", "<"+v.next+`>; rel="next"`)
		}
		json.NewEncoder(w).Encode(v.list)
	default:
		w.WriteHeader(status)
		if v != nil {
			json.NewEncoder(w).Encode(v)
		}
	}
}

func fail(status int, message string) (int, any) {
	return status, map[string]string{"message": message}
}

func invalid(field, code string) (int, any) {
	return http.StatusUnprocessableEntity, map[string]any{
		"message": "Validation Failed",
		"errors":  []map[string]string{{"resource": "Release", "field": field, "code": code}},
	}
}

func (g *GitHub) commit(r *http.Request) (int, any) {
	tag := strings.TrimPrefix(r.PathValue("ref"), "tags/")
	if commit, ok := g.Commits[tag]; ok {
		return http.StatusOK, commit
	}
	return fail(http.StatusUnprocessableEntity, "No commit found for SHA: "+r.PathValue("ref"))
}

func (g *GitHub) byTag(r *http.Request) (int, any) {
	for _, there := range g.releases {
		if there.GetTagName() == r.PathValue("tag") && !there.GetDraft() {
			return http.StatusOK, there
		}
	}
	return fail(http.StatusNotFound, "Not Found")
}

// page is one of a list.
type page struct {
	list any
	next string
}

func (g *GitHub) list(r *http.Request) (int, any) {
	size, _ := strconv.Atoi(r.URL.Query().Get("per_page"))
	n, _ := strconv.Atoi(r.URL.Query().Get("page"))
	size, n = max(size, 1), max(n, 1)
	all := []*github.RepositoryRelease{}
	for _, there := range slices.Backward(g.releases) {
		if !there.GetDraft() || !g.ReadOnly {
			all = append(all, there)
		}
	}
	p := page{list: all[min((n-1)*size, len(all)):min(n*size, len(all))]}
	if n*size < len(all) {
		p.next = fmt.Sprintf("http://%s%s?per_page=%d&page=%d", r.Host, r.URL.Path, size, n+1)
	}
	return http.StatusOK, p
}

func (g *GitHub) create(r *http.Request) (int, any) {
	var want github.RepositoryRelease
	if err := json.NewDecoder(r.Body).Decode(&want); err != nil {
		return fail(http.StatusBadRequest, err.Error())
	}
	if status, v := g.check(&want, 0); status != 0 {
		return status, v
	}
	g.add(&want, "http://"+r.Host)
	return http.StatusCreated, &want
}

func (g *GitHub) edit(r *http.Request) (int, any) {
	there := g.release(r)
	if there == nil {
		return fail(http.StatusNotFound, "Not Found")
	}
	want := *there
	if err := json.NewDecoder(r.Body).Decode(&want); err != nil {
		return fail(http.StatusBadRequest, err.Error())
	}
	if status, v := g.check(&want, there.GetID()); status != 0 {
		return status, v
	}
	*there = want
	return http.StatusOK, there
}

// check refuses what GitHub refuses in a release.
func (g *GitHub) check(want *github.RepositoryRelease, id int64) (int, any) {
	if utf8.RuneCountInString(want.GetBody()) > maxBody {
		return fail(http.StatusUnprocessableEntity, "body is too long (maximum is 125000 characters)")
	}
	if want.GetMakeLatest() == "true" && (want.GetDraft() || want.GetPrerelease()) {
		return invalid("make_latest", "invalid")
	}
	if want.GetDraft() {
		return 0, nil
	}
	for _, there := range g.releases {
		if there.GetTagName() == want.GetTagName() && !there.GetDraft() && there.GetID() != id {
			return invalid("tag_name", "already_exists")
		}
	}
	return 0, nil
}

func (g *GitHub) release(r *http.Request) *github.RepositoryRelease {
	for _, there := range g.releases {
		if strconv.FormatInt(there.GetID(), 10) == r.PathValue("id") {
			return there
		}
	}
	return nil
}

// upload keeps an attachment; of one that breaks off only its name.
func (g *GitHub) upload(r *http.Request) (int, any) {
	to, name := g.release(r), r.URL.Query().Get("name")
	if to == nil {
		return fail(http.StatusNotFound, "Not Found")
	}
	if slices.ContainsFunc(to.Assets, func(a *github.ReleaseAsset) bool { return a.GetName() == name }) {
		return invalid("name", "already_exists")
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		g.attach(to, name, "starter", nil)
		return fail(http.StatusBadGateway, "the upload broke off")
	}
	return http.StatusCreated, g.attach(to, name, "uploaded", body)
}

// download leads to where contents are, which takes no token.
func (g *GitHub) download(r *http.Request) (int, any) {
	return http.StatusFound, "http://" + r.Host + "/blob/" + r.PathValue("id") + "?signature=lets-its-reader-in"
}

func (g *GitHub) blob(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	defer g.mu.Unlock()
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if r.Header.Get("Authorization") != "" {
		http.Error(w, "a token came to the storage", http.StatusBadRequest)
		return
	}
	w.Write(g.contents[id])
}

func (g *GitHub) remove(r *http.Request) (int, any) {
	id, _ := strconv.ParseInt(r.PathValue("id"), 10, 64)
	for _, there := range g.releases {
		there.Assets = slices.DeleteFunc(there.Assets, func(a *github.ReleaseAsset) bool { return a.GetID() == id })
	}
	delete(g.contents, id)
	return http.StatusNoContent, nil
}
