package version

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

func must(t *testing.T, s string) asset.Version {
	t.Helper()
	v, err := asset.ParseVersion(s)
	require.NoError(t, err)
	return v
}

// dated returns versions whose commits are a day apart, except those beginning
// with "=", whose commit is that of the version before.
func dated(t *testing.T, list ...string) []Dated {
	when := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var all []Dated
	for _, s := range list {
		if s[0] == '=' {
			s = s[1:]
		} else {
			when = when.AddDate(0, 0, 1)
		}
		all = append(all, Dated{must(t, s), when})
	}
	return all
}

// Each line is in order; every pair of it is compared both ways.
func TestCompare(t *testing.T) {
	for _, line := range [][]string{
		{"7.0.8", "7.0.8.1", "7.0.9", "7.0.10", "7.1"},
		{"7.0.8r1.0", "7.0.8r1.1", "7.0.8r2.0", "7.0.8r10.0", "7.0.9r1.0", "7.0.10r1.0"},
		{"7.0.5r1.0", "7.0.5r2.0-beta.1", "7.0.5r2.0", "7.0.5r2.0.multi", "7.0.5r3.0"},
		{"7.0.8ec1", "7.0.8ec2b2", "7.0.8ec2b3", "7.0.8ec2b10", "7.0.8ec2"},
		{"4.45ec4", "4.45ec5-beta.1", "4.45ec5-beta.2", "4.45ec5"},
		{"2023.10.6b3", "2023.10.6", "2023.10.7", "2023.11.1", "2024.1.1"},
		{"2021.8.27", "2021.09.01", "2021.9.1", "2021.10.7"},
		{
			"0.9.5.b2", "0.9.5.b3", "0.9.5", "0.9.6.dev1", "0.9.6a1", "0.9.6b1", "0.9.6rc1", "0.9.6", "0.9.6.post1",
			"0.10.0",
		},
		{
			"1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
			"1.0.0-rc.1", "1.0.0",
		},
		{"1.0.0-b9", "1.0.0-b10", "1.0.0", "1.0.0+b9", "1.0.0+b10", "1.0.1"},
		{"1.0", "1.0.0", "1.0.0.post0"},
	} {
		for i, a := range line {
			for j, b := range line {
				c, err := Compare(must(t, a), must(t, b))
				require.NoError(t, err)
				require.Equal(t, sign(i-j), sign(c), "%s and %s", a, b)
			}
		}
	}
	for _, pair := range [][2]string{{"7.0.8r1.0", "7.0.8ec1"}, {"2021.8.27", "1.0.0"}, {"7.0.8", "7.0.8r1.0"}} {
		_, err := Compare(must(t, pair[0]), must(t, pair[1]))
		require.ErrorContains(t, err, "of different schemes")
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
}

func sign(i int) int { return max(-1, min(1, i)) }

func spelled(list []Dated) (s []string) {
	for _, d := range list {
		s = append(s, d.Version.String())
	}
	return s
}

func TestSort(t *testing.T) {
	for name, c := range map[string]struct {
		list []Dated
		want []string
	}{
		"one scheme, history aside": {
			dated(t, "1.0.2", "1.0.0", "1.0.1"), []string{"1.0.0", "1.0.1", "1.0.2"},
		},
		"no history": {
			[]Dated{{Version: must(t, "1.0.10")}, {Version: must(t, "1.0.9")}}, []string{"1.0.9", "1.0.10"},
		},
		"the history tells": {
			dated(t, "7.0.5r1.0", "7.0.5r2.0", "7.0.8ec1", "2024.1.1", "7.0.8ec2")[:4],
			[]string{"7.0.5r1.0", "7.0.5r2.0", "7.0.8ec1", "2024.1.1"},
		},
		"the schemes change on one commit": {
			dated(t, "1.0.0", "1.0.1", "=2024.1.1", "2024.1.2"), []string{"1.0.0", "1.0.1", "2024.1.1", "2024.1.2"},
		},
		"calendar first, numbers afterwards": {dated(t, "2024.1.1", "1.0.0"), []string{"2024.1.1", "1.0.0"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.NoError(t, Sort(c.list))
			require.Equal(t, c.want, spelled(c.list))
		})
	}
	for name, list := range map[string][]Dated{
		"no history":        {{Version: must(t, "1.0.0")}, {Version: must(t, "2024.1.1")}},
		"schemes mixed":     dated(t, "1.0.0", "2024.1.1", "1.0.1"),
		"all on one commit": dated(t, "1.0.0", "=2024.1.1"),
	} {
		before := spelled(list)
		err := Sort(list)
		require.ErrorContains(t, err, "their history doesn't say which came first", name)
		require.Equal(t, before, spelled(list), name)
	}
}

func TestPrevious(t *testing.T) {
	for v, c := range map[string]struct {
		list []string
		want string
	}{
		"1.0.0":        {[]string{"1.0.0"}, ""},
		"1.1.0":        {[]string{"1.1.0-beta.1", "1.1.0", "1.2.0", "1.0.0"}, "1.0.0"},
		"1.1.0-beta.2": {[]string{"1.0.0", "1.1.0-beta.1", "1.1.0-beta.2"}, "1.1.0-beta.1"},
		"1.1.0-beta.1": {[]string{"1.0.0", "1.1.0-beta.1", "1.1.0"}, "1.0.0"},
		"2024.1.1":     {[]string{"1.0.0", "1.1.0", "2024.1.1", "2024.2.1"}, "1.1.0"},
		"2.0.0":        {[]string{"2.0.0", "2024.1.1", "2.1.0"}, ""}, // neither scheme came first
		"2.2.0":        {[]string{"2.1.0", "2024.1.1", "2.2.0"}, "2.1.0"},
		"7.0.10r1.0":   {[]string{"7.0.10r1.0", "7.0.9r1.0", "7.0.9r2.0.multi"}, "7.0.9r1.0"},
		"9.9.9":        {[]string{"1.0.0"}, ""},
	} {
		require.Equal(t, c.want, Previous(dated(t, c.list...), must(t, v)).String(), "%s of %q", v, c.list)
	}
}

func TestLatest(t *testing.T) {
	for want, list := range map[string][]Dated{
		"1.0.1":     dated(t, "1.0.1", "1.0.0", "1.1.0-beta.1", "1.1.0b2"),
		"7.0.5r2.0": dated(t, "7.0.5r1.0", "7.0.5r2.0", "7.0.5r2.0.multi", "2024.1.1b1"),
		"7.0.8ec1":  dated(t, "7.0.9r9.0", "7.0.8ec1"),
	} {
		v, err := Latest(list)
		require.NoError(t, err)
		require.Equal(t, want, v.String())
	}
	_, err := Latest(dated(t, "1.1.0-beta.1"))
	require.ErrorContains(t, err, "no release among the versions; release a version that is no pre-release first")
	_, err = Latest(dated(t, "1.0.0", "2024.1.1", "1.0.1"))
	require.ErrorContains(t, err, "different schemes")
}

func TestNext(t *testing.T) {
	now := time.Date(2026, 11, 5, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		kind asset.Kind
		list []Dated
		want string
	}{
		"first of a beamline":          {asset.Beamline, nil, "2026.11.5"},
		"first of an image":            {asset.Image, nil, "1.0.0"},
		"calendar":                     {asset.Beamline, dated(t, "2026.10.30", "2026.11.1"), "2026.11.5"},
		"calendar, again today":        {asset.Beamline, dated(t, "2026.11.5"), "2026.11.6"},
		"calendar, old leading zeros":  {asset.Beamline, dated(t, "2021.09.01"), "2026.11.5"},
		"beamline with SemVer":         {asset.Beamline, dated(t, "1.2.9"), "1.2.10"},
		"beamline changed to calendar": {asset.Beamline, dated(t, "1.2.9", "2026.1.1"), "2026.11.5"},
		"release of upstream":          {asset.Image, dated(t, "2.5.3r1.0"), "2.5.3r1.1"},
		"ec":                           {asset.Image, dated(t, "7.0.8ec1", "7.0.8ec2"), "7.0.8ec3"},
		"after a beta":                 {asset.Image, dated(t, "7.0.8ec1", "7.0.8ec2b3"), "7.0.8ec2"},
		"SemVer beta":                  {asset.Library, dated(t, "1.0.0", "1.1.0-beta.2"), "1.1.0"},
		"variants don't count":         {asset.Image, dated(t, "7.0.5r2.0", "7.0.5r3.0.multi"), "7.0.5r2.1"},
		"two numbers":                  {asset.Image, dated(t, "4.45"), "4.46"},
	} {
		t.Run(name, func(t *testing.T) {
			v, err := Next(c.list, c.kind, now)
			require.NoError(t, err)
			require.Equal(t, c.want, v.String())
		})
	}
}

func TestScheme(t *testing.T) {
	for in, want := range map[string]struct {
		scheme  Scheme
		release bool
	}{
		"1.2.3": {Numbers, true}, "1.2.3-beta.1": {Numbers, false}, "1.2.3+b1": {Numbers, true},
		"1.2.3-rc.1+b1.x": {Numbers, false},
		"2021.8.27":       {Calendar, true}, "2021.09.01": {Calendar, true}, "2023.10": {Calendar, true},
		"2023.10.6b3": {Calendar, false},
		"4.45":        {Numbers, true}, "7.0.8.1": {Numbers, true}, "2.5.3r1.0": {"r", true},
		"7.0.5r2.0.multi": {"r", false},
		"7.0.8ec2b3":      {"ec", false}, "2.11ec4": {"ec", true}, "4.45ec5-beta.1": {"ec", false},
		"0.9.5.b2":  {Numbers, false},
		"0.9.5.dev": {Numbers, false}, "1.0.0.post1": {Numbers, true}, "7.0.8R1.0": {"r", true},
	} {
		require.Equal(t, want.scheme, SchemeOf(must(t, in)), in)
		require.Equal(t, want.release, IsRelease(must(t, in)), in)
	}
	require.False(t, IsRelease(asset.Version{}))
}
