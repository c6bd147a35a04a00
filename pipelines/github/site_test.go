package github

import (
	"testing"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// clone is a repository that was cloned from an address; empty for none.
func clone(t *testing.T, address string) *tree.Repository {
	dir := t.TempDir()
	made, err := git.PlainInit(dir, false)
	require.NoError(t, err)
	if address != "" {
		_, err = made.CreateRemote(&config.RemoteConfig{Name: "origin", URLs: []string{address}})
		require.NoError(t, err)
	}
	repo, err := tree.Open(dir)
	require.NoError(t, err)
	return repo
}

// TestNameOf: a clone of GitHub is found there by its origin. The token of a site is not
// taken to github.com for a clone of another server.
func TestNameOf(t *testing.T) {
	const own = "https://github.example.org/api/v3"
	for _, c := range []struct{ address, api, want string }{
		{"https://github.com/some-org/site.git", "", "some-org/site"},
		{"git@github.com:some-org/site.git", "", "some-org/site"},
		{"https://ada:secret@github.com/some-org/site", "", "some-org/site"},
		{"https://github.example.org/some-org/site.git", own, "some-org/site"},
		{"https://github.example.org/some-org/site.git", "", ""},
		{"https://notgithub.com/some-org/site.git", "", ""},
		{"/srv/git/site.git", own, ""},
		{"", own, ""},
	} {
		name, err := NameOf(clone(t, c.address), c.api)
		require.Equal(t, c.want, name, c.address)
		if c.want == "" {
			require.ErrorContains(t, err, "; write owner/name in GITHUB_REPOSITORY")
			require.Equal(t, diag.Invalid, diag.KindOf(err))
			continue
		}
		require.NoError(t, err)
	}
}
