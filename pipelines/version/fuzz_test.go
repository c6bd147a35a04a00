package version

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/Masterminds/semver/v3"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// seeds are the spellings of the field, good and bad.
var seeds = strings.Fields(`1.2.3 1.2.3-beta.1+b1 2021.8.27 2021.09.01 2.5.3r1.0 7.0.5r2.0.multi 7.0.8ec2b3 4.45ec5-beta.1
	2023.10.6b3 0.9.5.b2 4.1.2b+b1 7.0.9 7.0.10 7.0.8.1 test v1 R4-45 1.0.0_1 1.0.post1 1.0.0-0 1.0.0-00 1.0.0-dev 1.0`)

// ociTag is the grammar of the OCI distribution specification.
var ociTag = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)

func FuzzParse(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := Parse(s)
		if err != nil {
			mended(t, err, "write ", func(m string) error { _, err := Parse(m); return err })
			return
		}
		require.Equal(t, s, v.String())
		require.Regexp(t, ociTag, v.OCITag())
		back, err := FromOCITag(v.OCITag())
		require.NoError(t, err)
		require.Equal(t, v, back)
		if c, err := v.Chart(); err == nil {
			require.Equal(t, s, c)
			_, err = semver.StrictNewVersion(c)
			require.NoError(t, err)
		}
		if len(s) < 100 { // what follows may be longer
			p, _ := split(s)
			next, err := Parse(p.next())
			require.NoError(t, err)
			c, err := Compare(v, next)
			require.NoError(t, err)
			if p.variant == "" {
				require.Negative(t, c, "%s then %s", v, next)
			}
		}
	})
}

// mended checks that a refusal is one of the person's input, with a mend that
// is taken.
func mended(t *testing.T, err error, verb string, again func(string) error) {
	var d *diag.Error
	require.True(t, errors.As(err, &d))
	require.Equal(t, diag.Invalid, d.Kind)
	require.NotEmpty(t, d.Fix)
	require.NotContains(t, d.Error(), "\x1b")
	if m, ok := strings.CutPrefix(d.Fix, verb); ok && !strings.Contains(m, " ") && !strings.Contains(m, "<") {
		require.NoError(t, again(m), "the mend %q", m)
	}
}

func FuzzCheckTag(f *testing.F) {
	for i, s := range seeds {
		f.Add(s, byte(i))
		f.Add("bl45p/"+s, byte(i))
	}
	kinds := []record.Kind{"", record.Image, record.Library, record.Beamline}
	f.Fuzz(func(t *testing.T, s string, k byte) {
		kind := kinds[k%4]
		for _, assets := range []map[string]record.Kind{nil, site, {"bl45p": record.Beamline}} {
			c, err := CheckTag(s, kind, assets)
			if err != nil {
				mended(t, err, "tag ", func(m string) error { _, err := CheckTag(m, kind, assets); return err })
				continue
			}
			require.True(t, strings.HasSuffix(s, c.Tag.Version.String()))
			require.True(t, c.Kind == record.Image || c.Chart == c.Tag.Version.String())
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
		var list []Version
		for _, s := range []string{a, b, c} {
			v, err := Parse(s)
			if err != nil || len(list) > 0 && v.Scheme() != list[0].Scheme() {
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
		one, two := []Dated{{Version: list[0]}, {Version: list[1]}, {Version: list[2]}}, []Dated{{Version: list[2]}, {Version: list[0]}, {Version: list[1]}}
		require.NoError(t, Sort(one))
		require.NoError(t, Sort(two))
		require.True(t, slices.Equal(spelled(one), spelled(two)))
	})
}

// plain is SemVer whose identifiers are numbers, or words with no other meaning.
var plain = regexp.MustCompile(`^[0-9.]+(-([0-9]+|beta|rc|x)(\.([0-9]+|beta|rc|x))*)?$`)

func agrees(t *testing.T, a, b Version, c int) {
	x, err1 := semver.StrictNewVersion(a.raw)
	y, err2 := semver.StrictNewVersion(b.raw)
	if err1 == nil && err2 == nil && plain.MatchString(a.raw) && plain.MatchString(b.raw) {
		require.Equal(t, x.Compare(y), c, "%s and %s", a, b)
	}
}
