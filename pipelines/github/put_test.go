package github

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-github/v62/github"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/github/githubtest"
)

const commit = "89e6c98d92887913cadf06b2adb97f26cde4849b"

// want is a page as Publisher asks for it.
var want = wanted{
	tag:    "bl01t/2026.11.2",
	commit: commit,
	title:  "bl01t 2026.11.2",
	notes:  "What changes.\n" + mark + "\n",
	mark:   mark,
	file:   "bl01t-2026.11.2.record.json",
	record: []byte("{\n  \"a record\": true\n}\n"),
}

func newGitHub() *githubtest.GitHub {
	return &githubtest.GitHub{Commits: map[string]string{want.tag: commit, "bl01t/2026.11.1": commit}}
}

// open returns the repository behind a handler.
func open(t *testing.T, h http.Handler) *Repository {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	r, err := Open(s.URL, "some-org/site", githubtest.Token)
	require.NoError(t, err)
	return r
}

// page returns the only release, which must be whole.
func whole(t *testing.T, g *githubtest.GitHub) *github.RepositoryRelease {
	t.Helper()
	require.Len(t, g.Releases(), 1)
	there := g.Releases()[0]
	require.Len(t, there.Assets, 1)
	require.Equal(t, want.file, there.Assets[0].GetName())
	require.Equal(t, "uploaded", there.Assets[0].GetState())
	require.Equal(t, string(want.record), g.Content(there.Assets[0]))
	return there
}

func TestPutTwice(t *testing.T) {
	g := newGitHub()
	r := open(t, g.Handler())
	for range 2 {
		there, err := r.put(t.Context(), want)
		require.NoError(t, err)
		require.Equal(t, whole(t, g).GetHTMLURL(), there.GetHTMLURL())
	}
	there := whole(t, g)
	require.False(t, there.GetDraft())
	require.False(t, there.GetPrerelease())
	require.Equal(t, "false", there.GetMakeLatest())
	require.Equal(t, want.title, there.GetName())
	require.Equal(t, want.notes, there.GetBody())
	require.Equal(t, commit, there.GetTargetCommitish())
}

func TestPutSaysWhatIsLatest(t *testing.T) {
	for name, w := range map[string]wanted{"a pre-release": {prerelease: true}, "the latest": {latest: true}} {
		g, w := newGitHub(), w
		w.tag, w.commit, w.file, w.notes, w.mark = want.tag, want.commit, want.file, want.notes, mark
		_, err := open(t, g.Handler()).put(t.Context(), w)
		require.NoError(t, err, name)
		there := g.Releases()[0]
		require.Equal(t, w.prerelease, there.GetPrerelease(), name)
		require.Equal(t, w.latest, there.GetMakeLatest() == "true", name)
	}
}

// TestPutByHand: what somebody wrote stays; a draft stays a draft.
func TestPutByHand(t *testing.T) {
	for _, draft := range []bool{true, false} {
		g := newGitHub()
		r := open(t, g.Handler())
		g.Base = strings.TrimSuffix(r.client.BaseURL.String(), "/")
		for range 120 { // more than a page of others
			g.Add(&github.RepositoryRelease{TagName: github.String("bl01t/2026.11.1"), Draft: github.Bool(true)})
		}
		g.Releases()[0].TagName, g.Releases()[0].Name, g.Releases()[0].Draft = &want.tag, github.String(
			"Beam back",
		), &draft
		for range 2 {
			there, err := r.put(t.Context(), want)
			require.NoError(t, err)
			require.False(t, ours(there, mark))
		}
		require.Len(t, g.Releases(), 120)
		there := g.Releases()[0]
		require.Equal(t, "Beam back", there.GetName())
		require.Empty(t, there.GetBody())
		require.Equal(t, draft, there.GetDraft())
		require.Len(t, there.Assets, 1)
	}
}

// TestPutOverAnotherRecord: a record that is attached and is not ours is
// refused where everybody sees it, and replaced in a draft.
func TestPutOverAnotherRecord(t *testing.T) {
	g := newGitHub()
	r := open(t, g.Handler())
	_, err := r.put(t.Context(), want)
	require.NoError(t, err)
	there := g.Releases()[0]
	there.Assets = nil
	g.Attach(there, want.file, "uploaded", strings.Replace(string(want.record), "true", "fals", 1))
	_, err = r.put(t.Context(), want)
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.ErrorContains(t, err, "another record is attached")
	there.Draft = github.Bool(true)
	_, err = r.put(t.Context(), want)
	require.NoError(t, err)
	require.False(t, whole(t, g).GetDraft())
}

func TestPutRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*githubtest.GitHub, *Repository)
		kind   diag.Kind
		says   string
	}{
		"a tag that was not pushed": {
			func(g *githubtest.GitHub, _ *Repository) { delete(g.Commits, want.tag) }, diag.Invalid,
			"git push origin bl01t/2026.11.2",
		},
		"a tag that was moved": {
			func(g *githubtest.GitHub, _ *Repository) { g.Commits[want.tag] = strings.Repeat("0", 40) }, diag.Refused,
			"on GitHub, and was released from " + commit,
		},
		"a token that may only read": {
			func(g *githubtest.GitHub, _ *Repository) { g.ReadOnly = true }, diag.Broken,
			"permissions: {contents: write}",
		},
		"a token that is not valid": {func(_ *githubtest.GitHub, r *Repository) {
			at := r.client.BaseURL
			r.client = github.NewClient(nil).WithAuthToken("ghs_old")
			r.client.BaseURL = at
		}, diag.Broken, "give a token that is valid"},
		"a server that is not there": {
			func(_ *githubtest.GitHub, r *Repository) { r.client.BaseURL.Host = "127.0.0.1:1" }, diag.Broken,
			"see that 127.0.0.1:1 can be reached",
		},
		"an answer with the token": {
			func(_ *githubtest.GitHub, r *Repository) { r.name = githubtest.Token }, diag.Invalid, "some-org/***",
		},
	} {
		t.Run(name, func(t *testing.T) {
			g := newGitHub()
			r := open(t, g.Handler())
			c.change(g, r)
			_, err := r.put(t.Context(), want)
			require.Equal(t, c.kind, diag.KindOf(err))
			require.ErrorContains(t, err, c.says)
			require.NotContains(t, err.Error(), "ghs_")
			require.Empty(t, g.Releases())
		})
	}
}

// states are how far a run before may have come.
var states = map[string]func(*githubtest.GitHub){
	"nothing":            func(*githubtest.GitHub) {},
	"a draft":            func(g *githubtest.GitHub) { draft(g) },
	"a half attachment":  func(g *githubtest.GitHub) { g.Attach(draft(g), want.file, "starter", "") },
	"a whole attachment": func(g *githubtest.GitHub) { g.Attach(draft(g), want.file, "uploaded", string(want.record)) },
}

func draft(g *githubtest.GitHub) *github.RepositoryRelease {
	there := &github.RepositoryRelease{
		TagName: &want.tag,
		Body:    github.String("Old.\n" + mark),
		Draft:   github.Bool(true),
	}
	g.Add(there)
	return there
}

// TestPutFinishes lets GitHub fail at the n-th request, for every n: before it
// does what it was asked, after it did, and in the middle of what it is sent. A
// page that is seen has its record, and the same command finishes.
func TestPutFinishes(t *testing.T) {
	for name, fault := range map[string]func(http.Handler, http.ResponseWriter, *http.Request){
		"before": func(_ http.Handler, w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"after": func(h http.Handler, _ http.ResponseWriter, r *http.Request) {
			h.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		},
		"within": func(h http.Handler, _ http.ResponseWriter, r *http.Request) {
			r.Body = http.MaxBytesReader(nil, r.Body, 3)
			h.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		},
	} {
		for state, begin := range states {
			t.Run(name+", from "+state, func(t *testing.T) {
				for n := int64(1); failAt(t, n, fault, begin); n++ {
				}
			})
		}
	}
}

// failAt fails at the n-th request; false says that there are not so many.
func failAt(
	t *testing.T,
	n int64,
	fault func(http.Handler, http.ResponseWriter, *http.Request),
	begin func(*githubtest.GitHub),
) bool {
	g := newGitHub()
	var at atomic.Int64
	h := g.Handler()
	r := open(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if at.Add(1) == n {
			fault(h, w, r)
			return
		}
		h.ServeHTTP(w, r)
	}))
	g.Base = strings.TrimSuffix(r.client.BaseURL.String(), "/")
	begin(g)
	_, err := r.put(t.Context(), want)
	failed := at.Load() >= n
	if err != nil { // what only reads is sent again by itself
		require.True(t, failed, "%v", err)
		require.Contains(t, err.Error(), "; ", "no mend at request %d", n)
		require.NotContains(t, err.Error(), "signature", "request %d", n)
	}
	for _, there := range g.Releases() {
		if !there.GetDraft() {
			whole(t, g)
		}
	}
	if failed {
		_, err = r.put(t.Context(), want)
		require.NoError(t, err, "request %d", n)
	}
	there := whole(t, g)
	require.False(t, there.GetDraft())
	require.Equal(t, want.notes, there.GetBody())
	return failed
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := open(t, newGitHub().Handler()).put(ctx, want)
	require.ErrorIs(t, err, context.Canceled)
}

func TestOpenRefuses(t *testing.T) {
	for _, c := range [][3]string{
		{"https://api.github.com", "site", "t"}, {"https://api.github.com", "", "t"}, {
			"https://api.github.com", "some-org/site/x", "t",
		},
		{"api.github.com", "some-org/site", "t"}, {"https://api.github.com", "some-org/site", ""},
	} {
		_, err := Open(c[0], c[1], c[2])
		require.Equal(t, diag.Invalid, diag.KindOf(err), "%q", c)
	}
	r, err := Open("https://github.example.org/api/v3", "some-org/site", "t")
	require.NoError(t, err)
	require.Equal(t, "https://github.example.org/api/v3/", r.client.BaseURL.String())
}
