package release

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/sign"
	"github.com/tagline-ci/tagline/pipelines/sign/keytest"
)

func newKey(t *testing.T) *sign.Key {
	key, _ := keytest.New(t)
	return key
}

// signed signs the record of ioc-x 1.0.0.
func (s *site) signed(by sign.Signer) {
	rec, _, err := s.Registry.Record(s.t.Context(), "ioc-x", assettest.Version("1.0.0"))
	require.NoError(s.t, err)
	require.NoError(s.t, attest.Signer{Registry: s.Registry, By: by}.Record(s.t.Context(), rec))
}

// Whoever signs a release vouches for what it runs, so that must be signed as well,
// by the same signer or by one that is named.
func TestWhatASignedReleaseRunsIsSigned(t *testing.T) {
	own, other := newKey(t), newKey(t)
	theirs, err := other.Trust(t.Context())
	require.NoError(t, err)
	for name, c := range map[string]struct {
		by      sign.Signer // of ioc-x
		trusted attest.Trusted
		says    string // empty where it is released
	}{
		"nobody signed it":           {says: "verifying ioc-x 1.0.0: "},
		"a stranger signed it":       {by: other, says: "no trusted signer signed its"},
		"the same signed it":         {by: own},
		"one who is named signed it": {by: other, trusted: attest.Anyone(theirs)},
		"the same beside one named":  {by: own, trusted: attest.Anyone(theirs)},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t, line())
			s.ioc("ioc-x 1.0.0", asset.Image)
			if c.by != nil {
				s.signed(c.by)
			}
			s.Signer, s.Trusted = own, c.trusted
			j, w := s.beamline(booted)
			require.NoError(t, j.trustSigner(t.Context()))
			err := j.release(t.Context(), w)
			if c.says == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, c.says)
			require.Equal(t, diag.Refused, diag.KindOf(err))
		})
	}
}

// A record that somebody put there before the release is not taken for it.
func TestARecordThatWasThereFirst(t *testing.T) {
	s := newSite(t, line())
	s.ioc("ioc-x 1.0.0", asset.Image)
	j, w := s.beamline(booted)
	require.NoError(t, j.release(t.Context(), w), "whoever may write to the registry can seal it unsigned")
	rec, err := s.Run(t.Context(), "bl01t/2026.11.1")
	require.NoError(t, err)
	require.Equal(t, j.rec.Commit, rec.Commit)

	s.Signer = newKey(t)
	_, err = s.Run(t.Context(), "bl01t/2026.11.1")
	require.ErrorContains(t, err, "verifying bl01t 2026.11.1: ")
	require.ErrorContains(t, err, "it has no signed")
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.NoError(t, attest.Signer{Registry: s.Registry, By: newKey(t)}.Record(t.Context(), rec))
	_, err = s.Run(t.Context(), "bl01t/2026.11.1")
	require.ErrorContains(t, err, "no trusted signer signed its")
	require.NoError(t, attest.Signer{Registry: s.Registry, By: s.Signer}.Record(t.Context(), rec))
	again, err := s.Run(t.Context(), "bl01t/2026.11.1")
	require.NoError(t, err)
	require.IsType(t, &record.Record{}, again)
	require.Equal(t, rec, again)
}
