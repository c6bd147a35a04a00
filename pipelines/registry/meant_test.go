package registry

import (
	"errors"
	"net/http"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// records names content as records of bl01t at versions: whether they are any is not asked.
func (s *site) records(t *testing.T, versions ...string) {
	ref, err := name.ParseReference(string(s.image))
	require.NoError(t, err)
	content, err := remote.Get(ref)
	require.NoError(t, err)
	for _, v := range versions {
		tag, err := name.NewTag(s.host + "/records/bl01t:" + v)
		require.NoError(t, err)
		img, err := content.Image()
		require.NoError(t, err)
		require.NoError(t, remote.Write(tag, img))
	}
}

// A version that has no release is answered with those that have, at the price of one
// listing; whoever expects that there is none does not pay it.
func TestAMistypedVersionNamesOthers(t *testing.T) {
	s := newSite(t)
	r := open(t, s.host, Options{})
	typed := parse(t, "2026.11.11")
	_, alone := r.RecordDigest(t.Context(), "bl01t", typed)
	require.Same(t, alone, r.Meant(t.Context(), "bl01t", typed, alone), "nothing was released")

	s.records(t, "2026.10.4", "2026.11.1", "2026.11.2", "2026.9.30")
	s.seen.Store(0)
	_, _, err := r.Record(t.Context(), "bl01t", typed)
	unasked := s.seen.Load()
	require.EqualError(t, err, alone.Error())
	err = r.Meant(t.Context(), "bl01t", typed, err)
	require.EqualError(t, err, "reading record of bl01t 2026.11.11: no such release, not in the registry "+s.host+
		"; release it first, or name one that is released: 2026.11.1, 2026.11.2, 2026.10.4")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	require.ErrorIs(t, err, ErrNotFound)
	require.Equal(t, unasked+1, s.seen.Load(), "one listing")
}

// Every other error stays what it is, and asks nothing.
func TestOtherErrorsNameNoVersions(t *testing.T) {
	s := newSite(t)
	s.records(t, "2026.11.1")
	r, typed := open(t, s.host, Options{}), parse(t, "2026.11.2")
	_, unreleased := r.RecordDigest(t.Context(), "bl01t", typed)
	s.seen.Store(0)
	require.NoError(t, r.Meant(t.Context(), "bl01t", typed, nil))
	for _, err := range []error{
		errors.New("another"), missing(asset.Ref(s.host + "/records/bl01t:2026.11.2")),
	} {
		require.Same(t, err, r.Meant(t.Context(), "bl01t", typed, err))
	}
	for _, of := range []asset.Name{"bl02t", ""} {
		require.Same(t, unreleased, r.Meant(t.Context(), of, typed, unreleased), "it is of what somebody else gave")
	}
	require.Zero(t, s.seen.Load())
	s.arm(1, always(http.StatusForbidden))
	require.Same(t, unreleased, r.Meant(t.Context(), "bl01t", typed, unreleased), "they can't be listed")
}
