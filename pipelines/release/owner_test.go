package release

import (
	"testing"

	"github.com/go-git/go-git/v5/config"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// from lets the site's repository be a clone of url.
func (s *site) from(url string) {
	_ = s.git.DeleteRemote("origin") // if there is one
	_, err := s.git.CreateRemote(&config.RemoteConfig{Name: "origin", URLs: []string{url}})
	require.NoError(s.t, err)
}

func TestANameBelongsToOneRepository(t *testing.T) {
	s := newSite(t, library(t))
	s.commit(nil, "ioc-lib/1.0.0", "ioc-lib/1.1.0", "ioc-lib/1.2.0", "ioc-lib/1.3.0")
	_, err := s.Run(t.Context(), "ioc-lib/1.0.0")
	require.NoError(t, err, "a folder is nobody's repository")

	s.from("https://ada:hunter2@github.com/some-org/site.git")
	rec, err := s.Run(t.Context(), "ioc-lib/1.1.0")
	require.NoError(t, err)
	require.Equal(t, "github.com/some-org/site", rec.Repository)
	s.from("git@github.com:some-org/site.git")
	_, err = s.Run(t.Context(), "ioc-lib/1.2.0")
	require.NoError(t, err, "the same repository, reached another way")

	s.from("https://github.com/other-org/site")
	before := s.repositories()
	_, err = s.Run(t.Context(), "ioc-lib/1.3.0")
	const refusal = "releasing ioc-lib 1.3.0: the name belongs to github.com/some-org/site, which released ioc-lib/1.2.0; " +
		"this is github.com/other-org/site; rename the asset's folder, or release it from that repository"
	require.EqualError(t, err, refusal)
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.Equal(t, before, s.repositories())
	_, err = s.Check(t.Context(), "HEAD", "ioc-lib/1.3.0", false)
	require.EqualError(t, err, refusal, "check is not green for what release refuses")
	_, err = s.Run(t.Context(), "ioc-lib/1.2.0")
	require.NoError(t, err, "what is released is there for everybody")
}
