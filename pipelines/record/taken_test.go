package record

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
)

// taker is a record whose boot was taken from the release before.
func taker() *Record {
	r := released()
	r.Version, r.Tag = assettest.Version("2026.11.2"), assettest.Tag("bl01t/2026.11.2")
	r.Artifacts[0].Ref = "ghcr.io/org/charts/bl01t-mo-ioc-01:2026.11.2"
	r.Checks[0].Inputs = sum
	r.Checks[0].From = &Origin{Release: assettest.Tag("bl01t/2026.11.1"), Record: sum}
	return r
}

func TestATestThatWasTakenIsReadBack(t *testing.T) {
	r := taker()
	b, err := Encode(r)
	require.NoError(t, err)
	require.Contains(t, string(b), `"release": "bl01t/2026.11.1"`)
	again, err := Read(b)
	require.NoError(t, err)
	require.Equal(t, r, again)
	require.Equal(t, []Origin{*r.Checks[0].From}, r.Origins())

	r.Checks = append(r.Checks, r.Checks[0], Test{Name: "unique PVs"})
	require.Len(t, r.Origins(), 1, "each once")
	require.Empty(t, released().Origins())
}

func TestValidateOfATestThatWasTaken(t *testing.T) {
	for says, spoil := range map[string]func(*Test){
		"does not say what was tested":    func(c *Test) { c.Inputs = "" },
		"and does not say what":           func(c *Test) { c.Digest = "" },
		"check smoke of bl01t-mo-ioc-01 ": func(c *Test) { c.Name = SmokeTest },
		"record \"\", which is no other":  func(c *Test) { c.From.Record = "" },
		"from \"bl02t/2026.11.1\"":        func(c *Test) { c.From.Release.Asset = "bl02t" },
		"from \"bl01t/2026.11.2\"":        func(c *Test) { c.From.Release = assettest.Tag("bl01t/2026.11.2") },
		"no other release of bl01t":       func(c *Test) { c.From.Release = asset.Tag{} },
		"did not pass":                    func(c *Test) { c.Passed = false },
	} {
		r := taker()
		require.NoError(t, r.Validate())
		spoil(&r.Checks[0])
		require.ErrorContains(t, r.Validate(), says)
	}
}

func TestRan(t *testing.T) {
	first := released()
	first.Checks[0].Inputs = sum
	require.True(t, first.Ran(taker().Checks[0]))
	for name, spoil := range map[string]func(first *Record, taken *Test){
		"other inputs":     func(_ *Record, c *Test) { c.Inputs = "sha256:1" },
		"another image":    func(_ *Record, c *Test) { c.Digest = "sha256:1" },
		"another instance": func(_ *Record, c *Test) { c.Of = "bl01t-b" },
		"other PVs":        func(_ *Record, c *Test) { c.PVs = c.PVs[1:] },
		"other evidence":   func(_ *Record, c *Test) { c.Evidence = nil },
		"notes":            func(_ *Record, c *Test) { c.Notes = []string{"x"} },
		"no pass":          func(r *Record, c *Test) { r.Checks[0].Passed, c.Passed = false, false },
		"no inputs":        func(r *Record, c *Test) { r.Checks[0].Inputs, c.Inputs = "", "" },
		"taken itself":     func(r *Record, c *Test) { r.Checks[0].From = c.From },
		"no such test":     func(r *Record, _ *Test) { r.Checks = nil },
	} {
		first, taken := released(), taker().Checks[0]
		first.Checks[0].Inputs = sum
		spoil(first, &taken)
		require.False(t, first.Ran(taken), name)
	}
}

// module is a record whose support module was taken from the release before.
func module() *Record {
	r := taker()
	r.Sources = []Source{
		{
			Module: "asyn", URL: "https://x", Ref: "R4-45", Commit: r.Commit, Inputs: sum,
			From: &Origin{Release: assettest.Tag("bl01t/2026.11.1"), Record: sum},
		},
		{Module: "motor", URL: "https://x", Ref: "R7-3", Commit: r.Commit, Inputs: sum},
		{Module: "older", URL: "https://x", Ref: "R1", Commit: r.Commit},
	}
	return r
}

func TestAModuleThatWasTakenIsReadBack(t *testing.T) {
	r := module()
	b, err := Encode(r)
	require.NoError(t, err)
	again, err := Read(b)
	require.NoError(t, err)
	require.Equal(t, r, again)
	require.Equal(t, []Origin{*r.Sources[0].From}, r.Builders())
	r.Sources[1].From = &Origin{Release: r.Sources[0].From.Release, Record: sum}
	require.Len(t, r.Builders(), 1, "each once")
	require.Empty(t, taker().Builders(), "a test that was taken is no module")
}

func TestValidateOfAModuleThatWasTaken(t *testing.T) {
	for says, spoil := range map[string]func(*Source){
		"asyn was taken from bl01t/2026.11.1, and has no inputs": func(s *Source) { s.Inputs = "" },
		"record \"\", which is no other":                         func(s *Source) { s.From.Record = "" },
		"from \"bl02t/2026.11.1\"":                               func(s *Source) { s.From.Release.Asset = "bl02t" },
		"from \"bl01t/2026.11.2\"": func(s *Source) {
			s.From.Release = assettest.Tag("bl01t/2026.11.2")
		},
		"no other release of bl01t": func(s *Source) { s.From.Release = asset.Tag{} },
	} {
		r := module()
		require.NoError(t, r.Validate())
		spoil(&r.Sources[0])
		require.ErrorContains(t, r.Validate(), says)
	}
}
