package tree

import (
	"strings"
	"testing"

	"github.com/go-git/go-git/v5"
	"github.com/go-git/go-git/v5/config"
	"github.com/stretchr/testify/require"
)

func TestOriginShowsNobodysToken(t *testing.T) {
	for url, want := range map[string]string{
		"https://github.com/some-org/site":                  "https://github.com/some-org/site",
		"https://github.com/some-org/site.git":              "https://github.com/some-org/site",
		"https://x-access-token:hunter2@github.com/o/r":     "https://github.com/o/r",
		"https://gitlab.example.org:8443/g/r?token=hunter2": "https://gitlab.example.org:8443/g/r",
		"git@github.com:some-org/site.git":                  "ssh://github.com/some-org/site",
		"ssh://git@git.example.org:7999/p/r.git":            "ssh://git.example.org:7999/p/r",
		"/srv/git/site.git":                                 "",
		"file:///srv/git/site.git":                          "",
	} {
		g, err := git.PlainInit(t.TempDir(), false)
		require.NoError(t, err)
		r := &Repository{git: g}
		require.Empty(t, r.Origin())
		_, err = g.CreateRemote(&config.RemoteConfig{Name: "origin", URLs: []string{url}})
		require.NoError(t, err)
		require.Equal(t, want, r.Origin(), url)
		require.True(t, want == "" || strings.HasSuffix(want, "://"+r.Home()))
	}
}
