package attest

import (
	"fmt"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
)

const inputs = "sha256:cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"

// taking is a site whose release 2026.11.1 of bl01t ran a boot, which 2026.11.2 has
// taken. change alters the test that was taken.
func taking(t *testing.T, change func(*record.Test)) (s *site, first *record.Record) {
	s = newSite(t)
	test := &s.bl.Checks[0]
	test.Digest, test.Inputs = s.bl.Instances[0].Image.Digest(), inputs
	require.NoError(t, Signer{Registry: s.reg, By: s.key}.Record(t.Context(), s.bl))
	s.reseal(t)
	ref, err := s.reg.PushRecord(t.Context(), s.bl)
	require.NoError(t, err)

	next := *s.bl
	next.Version, next.Tag = assettest.Version("2026.11.2"), assettest.Tag("bl01t/2026.11.2")
	taken := s.bl.Checks[0]
	taken.From = &record.Origin{Release: s.bl.Tag, Record: ref.Digest()}
	if change != nil {
		change(&taken)
	}
	next.Checks = []record.Test{taken}
	c := s.bl.Artifacts[0]
	c.Ref = asset.Ref(s.host + "/charts/bl01t-a:2026.11.2")
	next.Artifacts = []record.Artifact{c}
	s.release(t, s.key, &next)
	first, s.bl = s.bl, &next
	return s, first
}

func (s *site) verifyNext(t *testing.T) (*Report, error) {
	return Verify(t.Context(), s.reg, Anyone(s.trust), "bl01t", s.bl.Version)
}

func TestTestsThatWereTakenAreFollowed(t *testing.T) {
	s, first := taking(t, nil)
	report, err := s.verifyNext(t)
	require.NoError(t, err)
	require.Len(t, report.Tested, 1)
	require.Equal(t, Tested{
		Release: first.Tag, Record: s.bl.Checks[0].From.Record, Signer: report.Signer, Tests: 1,
	}, report.Tested[0])
	found, err := Taken(t.Context(), s.reg, nil, s.bl)
	require.NoError(t, err, "where no signature is asked for")
	require.True(t, Ran(found, s.bl.Checks[0]))
	require.False(t, Ran(nil, s.bl.Checks[0]))
}

// Of a record that nobody signed, whoever wrote it decides how many others are read for it.
func TestTestsAreTakenFromFewReleases(t *testing.T) {
	s, first := taking(t, nil)
	found, err := Taken(t.Context(), s.reg, nil, s.bl)
	require.NoError(t, err)
	require.Equal(t, &record.Record{
		Asset: first.Asset, Version: first.Version, Tag: first.Tag, Checks: first.Checks,
	}, found[0].Record, "and nothing else of it is kept")
	for i := range maxOrigins {
		other := s.bl.Checks[0]
		other.From = &record.Origin{
			Release: assettest.Tag(fmt.Sprintf("bl01t/2026.10.%d", i)), Record: s.bl.Checks[0].From.Record,
		}
		s.bl.Checks = append(s.bl.Checks, other)
	}
	found, err = Taken(t.Context(), s.reg, nil, s.bl)
	require.ErrorContains(t, err, "tests were taken from 1001 other releases, and 1000 at most are read; ")
	require.ErrorContains(t, err, "release that with --all")
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.Empty(t, found)
}

func TestVerifyRefusesTestsThatWereNotRunSo(t *testing.T) {
	tag := func(s *site) name.Tag {
		at, err := name.NewTag(s.host + "/records/bl01t:2026.11.1")
		require.NoError(t, err)
		return at
	}
	for name, c := range map[string]struct {
		change func(*record.Test)                      // of the test that was taken
		harm   func(*testing.T, *site, *record.Record) // to the record that it was taken from
		says   string
	}{
		"other inputs": {
			change: func(c *record.Test) { c.Inputs = c.Digest },
			says:   "the boot of bl01t-a was not run so by bl01t/2026.11.1; do not promote it; tag another version",
		},
		"more evidence": {
			change: func(c *record.Test) { c.Evidence = []string{"X is 5 (ca)"} },
			says:   "was not run so by bl01t/2026.11.1",
		},
		"a test of another name": {
			change: func(c *record.Test) { c.Of = "bl01t-b" }, says: "the boot of bl01t-b was not run so",
		},
		"another record": {
			change: func(c *record.Test) { c.From.Record = inputs },
			says:   "tests were taken from the record sha256:cdcdcdcdcdcd of bl01t/2026.11.1, which has the record",
		},
		"a release that never was": {
			change: func(c *record.Test) { c.From.Release = assettest.Tag("bl01t/2026.10.1") },
			says:   "the record of bl01t/2026.10.1, from which tests were taken, is gone from the registry",
		},
		"a record that is gone": {
			harm: func(t *testing.T, s *site, _ *record.Record) { require.NoError(t, remote.Delete(tag(s))) },
			says: "from which tests were taken, is gone",
		},
		"a record that another signed": {
			harm: func(t *testing.T, s *site, first *record.Record) {
				first.Checks[0].Notes = []string{"resigned"}
				stranger, _ := newKey(t)
				s.replace(t, first, Signer{Registry: s.reg, By: stranger})
			},
			says: "verifying bl01t 2026.11.1: ",
		},
		"a record that nobody signed": {
			harm: func(t *testing.T, s *site, first *record.Record) {
				first.Checks[0].Notes = []string{"altered"}
				s.replace(t, first, Signer{})
			},
			says: "it has no signed",
		},
		"another record that is signed": {
			harm: func(t *testing.T, s *site, first *record.Record) {
				first.Checks[0].Notes = []string{"altered"}
				s.replace(t, first, Signer{Registry: s.reg, By: s.key})
			},
			says: "which has the record",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, first := taking(t, c.change)
			if c.harm != nil {
				c.harm(t, s, first)
			}
			_, err := s.verifyNext(t)
			require.ErrorContains(t, err, c.says)
			require.Equal(t, diag.Refused, diag.KindOf(err))
		})
	}
}

// replace puts a record in the place of the one that was sealed.
func (s *site) replace(t *testing.T, rec *record.Record, by Signer) {
	if by.By != nil {
		require.NoError(t, by.Record(t.Context(), rec))
	}
	was := s.bl
	s.bl = rec
	s.reseal(t)
	s.bl = was
}

// A record that takes a test which was taken itself leads nowhere.
func TestATestIsTakenFromWhoRanIt(t *testing.T) {
	s, _ := taking(t, nil)
	ref, err := s.reg.PushRecord(t.Context(), s.bl)
	require.NoError(t, err)
	third := *s.bl
	third.Version, third.Tag = assettest.Version("2026.11.3"), assettest.Tag("bl01t/2026.11.3")
	test := s.bl.Checks[0]
	test.From = &record.Origin{Release: s.bl.Tag, Record: ref.Digest()}
	third.Checks = []record.Test{test}
	_, err = Taken(t.Context(), s.reg, Anyone(s.trust), &third)
	require.ErrorContains(t, err, "the boot of bl01t-a was not run so by bl01t/2026.11.2")
}
