package release

import (
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// A record of the release before that is not to be trusted, or can't be read, gives
// nothing, and does not stop the release.
func TestARecordThatIsNotTrustedGivesNothing(t *testing.T) {
	for what, c := range map[string]struct {
		by   func(*site) attest.Signer // of what is put in its place; nil for nobody
		edit func(*record.Record)
		gone bool
		says string // in a line of progress
	}{
		"nobody signed it": {
			edit: func(r *record.Record) { r.Checks[1].Notes = []string{"forged"} }, says: "it has no signed",
		},
		"a stranger signed it": {
			by:   func(s *site) attest.Signer { return attest.Signer{Registry: s.Registry, By: newKey(s.t)} },
			edit: func(r *record.Record) { r.Checks[1].Notes = []string{"forged"} },
			says: "no trusted signer signed its",
		},
		"it names another registry's chart": {
			by: func(s *site) attest.Signer { return attest.Signer{Registry: s.Registry, By: s.Signer} },
			edit: func(r *record.Record) {
				r.Artifacts[0].Ref = asset.Ref("example.org/charts/" + r.Artifacts[0].Name + ":2026.11.1")
				r.Instances[0].Chart = r.Artifacts[0].Pinned()
			},
			says: "its chart bl01t-a is example.org",
		},
		"it has no inputs, as one of an older Tagline": {
			by: func(s *site) attest.Signer { return attest.Signer{Registry: s.Registry, By: s.Signer} },
			edit: func(r *record.Record) {
				for i := range r.Checks {
					r.Checks[i].Inputs = ""
				}
			},
		},
		"it is gone": {gone: true},
	} {
		t.Run(what, func(t *testing.T) {
			s := tested(t)
			at, err := name.NewTag(s.host + "/records/bl01t:2026.11.1")
			require.NoError(t, err)
			if c.gone {
				require.NoError(t, remote.Delete(at))
			} else {
				rec, _, err := s.Registry.Record(t.Context(), "bl01t", assettest.Version("2026.11.1"))
				require.NoError(t, err)
				c.edit(rec)
				s.put(rec, c.by)
			}
			second := s.releases("2026.11.2", nil)
			require.NoError(t, second.err)
			require.Equal(t, []string{"bl01t-a", "bl01t-b"}, second.booted)
			require.Empty(t, second.from())
			if c.says == "" {
				require.Empty(t, second.lines)
				return
			}
			require.Contains(t, second.lines[0], "every IOC is booted: ")
			require.Contains(t, second.lines[0], c.says)
		})
	}
}

// put lets the tag of a record name another one.
func (s *site) put(rec *record.Record, by func(*site) attest.Signer) {
	ref, err := s.Registry.PushRecord(s.t.Context(), rec)
	require.NoError(s.t, err)
	if by != nil {
		require.NoError(s.t, by(s).Record(s.t.Context(), rec))
	}
	from, err := name.NewDigest(string(ref))
	require.NoError(s.t, err)
	there, err := remote.Get(from)
	require.NoError(s.t, err)
	to, err := name.NewTag(s.host + "/records/" + string(rec.Asset) + ":" + rec.Version.OCITag())
	require.NoError(s.t, err)
	require.NoError(s.t, remote.Tag(to, there))
}

// A boot that the release before took is taken only while the one that ran it is there.
func TestARecordThatRanABootMustBeThere(t *testing.T) {
	s := tested(t)
	second := s.releases("2026.11.2", map[string]string{configA + "more.cmd": "# more\n"})
	require.Equal(t, map[string]string{"bl01t-b": "bl01t/2026.11.1"}, second.from())
	at, err := name.NewTag(s.host + "/records/bl01t:2026.11.1")
	require.NoError(t, err)
	require.NoError(t, remote.Delete(at))
	third := s.releases("2026.11.3", nil)
	require.NoError(t, third.err)
	require.Equal(t, []string{"bl01t-b"}, third.booted)
	require.Equal(t, map[string]string{"bl01t-a": "bl01t/2026.11.2"}, third.from())
	require.Contains(t, third.lines[0], "the record of bl01t/2026.11.1, from which tests were taken, is gone")
}
