package version

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
)

// seeds are the spellings of the field, good and bad.
var seeds = strings.Fields(`1.2.3 1.2.3-beta.1+b1 2021.8.27 2021.09.01 2.5.3r1.0 7.0.5r2.0.multi 7.0.8ec2b3 4.45ec5-beta.1
	2023.10.6b3 0.9.5.b2 4.1.2b+b1 7.0.9 7.0.10 7.0.8.1 test v1 R4-45 1.0.0_1 1.0.post1 1.0.0-0 1.0.0-00 1.0.0-dev 1.0`)

func FuzzNext(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := asset.ParseVersion(s)
		if err != nil || len(s) >= 100 { // what follows may be longer
			return
		}
		following, err := asset.ParseVersion(next(v.Parts()))
		require.NoError(t, err)
		c, err := Compare(v, following)
		require.NoError(t, err)
		if v.Parts().Variant == "" {
			require.Negative(t, c, "%s then %s", v, following)
		}
	})
}

// The order of any three versions of a scheme is total, and SemVer's where the
// field doesn't mean another.
func FuzzOrder(f *testing.F) {
	for i := range seeds {
		f.Add(seeds[i], seeds[(i+1)%len(seeds)], seeds[(i+2)%len(seeds)])
	}
	f.Add("1.0.0-a", "1.0.0-alpha", "1.0.0b")
	f.Fuzz(func(t *testing.T, a, b, c string) {
		var list []asset.Version
		for _, s := range []string{a, b, c} {
			v, err := asset.ParseVersion(s)
			if err != nil || len(list) > 0 && SchemeOf(v) != SchemeOf(list[0]) {
				return
			}
			list = append(list, v)
		}
		at := func(i, j int) int {
			c, err := Compare(list[i], list[j])
			require.NoError(t, err)
			return sign(c)
		}
		for i := range list {
			for j := range list {
				require.Equal(t, at(i, j), -at(j, i))
				require.Equal(t, list[i] == list[j], at(i, j) == 0)
				for k := range list {
					if at(i, j) <= 0 && at(j, k) <= 0 {
						require.LessOrEqual(t, at(i, k), 0, "%s, %s, %s", list[i], list[j], list[k])
					}
				}
				agrees(t, list[i], list[j], at(i, j))
			}
		}
		one, two := []Dated{{Version: list[0]}, {Version: list[1]}, {Version: list[2]}}, []Dated{
			{Version: list[2]}, {Version: list[0]}, {Version: list[1]},
		}
		require.NoError(t, Sort(one))
		require.NoError(t, Sort(two))
		require.True(t, slices.Equal(spelled(one), spelled(two)))
	})
}

// plain is SemVer whose identifiers are numbers, or words with no other meaning.
var plain = regexp.MustCompile(`^[0-9.]+(-([0-9]+|beta|rc|x)(\.([0-9]+|beta|rc|x))*)?$`)

func agrees(t *testing.T, a, b asset.Version, c int) {
	x, err1 := semver.StrictNewVersion(a.String())
	y, err2 := semver.StrictNewVersion(b.String())
	if err1 == nil && err2 == nil && plain.MatchString(a.String()) && plain.MatchString(b.String()) {
		require.Equal(t, x.Compare(y), c, "%s and %s", a, b)
	}
}
