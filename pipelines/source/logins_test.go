package source

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// private serves the refs of a git repository to ada alone.
func private(t *testing.T) string {
	const commit = "0123456789abcdef0123456789abcdef01234567"
	line := func(text string) string { return fmt.Sprintf("%04x%s", len(text)+4, text) }
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "ada" || password != "hunter2" {
			w.Header().Set("WWW-Authenticate", `Basic realm="git"`)
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		fmt.Fprint(w, line("# service=git-upload-pack\n"), "0000", line(commit+" HEAD\x00agent=git/2\n"),
			line(commit+" refs/tags/R1-0\n"), "0000")
	}))
	t.Cleanup(server.Close)
	return server.URL + "/asyn"
}

func TestAPrivateSourceNeedsALogin(t *testing.T) {
	w := Wanted{
		Image:  &recipe.Image{File: "generic-iocs/ioc-a/image.yaml"},
		Ref:    recipe.ModuleRef{Name: "asyn", Ref: "R1-0", Line: 3},
		Module: &recipe.Module{Name: "asyn", File: "generic-iocs/support/asyn.yaml", Git: private(t)},
	}
	locked := lockfile.Module{Ref: "R1-0", Commit: "0123456789abcdef0123456789abcdef01234567"}
	for _, text := range []string{
		"", "machine elsewhere login ada password hunter2\n",
		"machine 127.0.0.1 login ada password wrong\n",
	} {
		logins, err := ReadLogins(text)
		require.NoError(t, err)
		err = Fetcher{Logins: logins}.Reach(t.Context(), w, locked)
		require.ErrorContains(t, err, "generic-iocs/ioc-a/image.yaml:3: asking "+w.Module.Git+" for R1-0 of asyn: ")
		require.ErrorContains(t, err, "give a login for 127.0.0.1 in .netrc or TAGLINE_NETRC")
		require.Equal(t, diag.Invalid, diag.KindOf(err))
		require.NotContains(t, err.Error(), "wrong")
	}
	logins, err := ReadLogins("machine 127.0.0.1\n  login ada\n  password hunter2\n")
	require.NoError(t, err)
	require.NoError(t, Fetcher{Logins: logins}.Reach(t.Context(), w, locked))
	w.Ref.Ref = string(locked.Commit)
	require.NoError(t, Fetcher{Logins: logins}.Reach(t.Context(), w, locked))
	require.Error(t, Fetcher{}.Reach(t.Context(), w, locked), "a commit can't be fetched either")
}

func TestLoginsGoToTheirHostAlone(t *testing.T) {
	logins, err := ReadLogins("machine git.example.org login ada password hunter2\n")
	require.NoError(t, err)
	require.NotNil(t, logins.auth("https://git.example.org:8443/asyn"))
	for _, other := range []string{
		"https://git.example.org.evil.org/asyn", "https://example.org/a",
		"ssh://git.example.org/a", "git://git.example.org/a", "%",
	} {
		require.Nil(t, logins.auth(other), other)
	}
	for _, bad := range []string{
		"machine", "machine git.example.org login ada password", "hunter2", "machine a loggin hunter2",
	} {
		_, err = ReadLogins(bad)
		require.ErrorContains(t, err, "not written as in a .netrc", bad)
		require.NotContains(t, err.Error(), "hunter2")
	}
	logins, err = ReadLogins("# login x\nmacdef init\n  cd hunter2\n\n" +
		"machine a.org account z\n\tlogin ada password p\ndefault login eve password q\n")
	require.NoError(t, err)
	require.Equal(t, Logins{{"a.org", "ada", "p"}}, logins)
}

// A password in a URL would stand in logs and cache keys.
func TestMirrorsHaveNoPassword(t *testing.T) {
	for _, item := range []string{
		"https://github.com/=https://ada:hunter2@git.example.org/",
		"https://github.com/=https://hunter2@git.example.org/",
		"https://ada:hunter2@github.com/=https://git.example.org/",
		"https://github.com/=ssh://git:hunter2@git.example.org/",
		"https://ada:hunter2@git.example.org",
	} {
		_, err := ParseMirrors([]string{item})
		require.Error(t, err, item)
		require.False(t, strings.Contains(err.Error(), "hunter2"), "%v", err)
	}
	_, err := ParseMirrors([]string{"https://github.com/=ssh://git@git.example.org/mirrors/"})
	require.NoError(t, err)
}

// Who asks for a way to sign in is refused a URL that has one in it, and told no part
// of it.
func TestAnAddressHasNoLogin(t *testing.T) {
	logins, err := ReadLogins("machine git.example.org login ada password p\n")
	require.NoError(t, err)
	for _, raw := range []string{
		"https://ada:hunter2@git.example.org/a", "https://hunter2@git.example.org/a",
		"ssh://git:hunter2@git.example.org/a", "https://ada:hunter2%zz@git.example.org/a",
	} {
		_, err := logins.Auth(raw)
		require.Equal(t, diag.Invalid, diag.KindOf(err), raw)
		require.ErrorContains(t, err, "give it in .netrc or TAGLINE_NETRC")
		require.NotContains(t, err.Error(), "hunter2")
	}
	for raw, want := range map[string]bool{
		"https://git.example.org/a": true, "https://example.org/a": false, "ssh://git@git.example.org/a": false,
	} {
		auth, err := logins.Auth(raw)
		require.NoError(t, err, raw)
		require.Equal(t, want, auth != nil, raw)
	}
}
