// Package version orders the versions of an asset and proposes the next. How a
// version is spelled is asset's.
package version

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Scheme names how versions of one era are spelled: "calendar", "numbers"
// (SemVer among them), or the letters that mark a release of an upstream
// version, such as "r" or "ec". Only versions of one scheme have an order.
type Scheme string

// The schemes that are not named by a mark.
const (
	Calendar Scheme = "calendar"
	Numbers  Scheme = "numbers"
)

// after are words for a patch of a release: it stays in the release's scheme.
var after = map[string]bool{"post": true, "p": true, "patch": true}

// SchemeOf returns the scheme of a version.
func SchemeOf(v asset.Version) Scheme { return scheme(v.Parts()) }

func scheme(p asset.Parts) Scheme {
	switch {
	case p.Mark != "" && !after[p.Mark]:
		return Scheme(p.Mark)
	case len(p.Numbers) > 0 && p.Numbers[0] >= 1980 && p.Numbers[0] < 2200:
		return Calendar
	}
	return Numbers
}

// IsRelease reports whether a version is neither a pre-release nor a variant
// that a word names.
func IsRelease(v asset.Version) bool {
	p := v.Parts()
	return !v.IsZero() && len(p.Pre) == 0 && p.Variant == ""
}

// Compare orders two versions of one scheme: -1 when a comes before b, 0 only
// when they are spelled the same. Numbers count as numbers, a pre-release
// comes before its release, a variant and a build after the plain version, and
// spellings of the same version are ordered by their bytes. It is SemVer's
// order but for two things that the field means otherwise: b9 comes before
// b10, and dev before alpha. Versions of different schemes are refused.
func Compare(a, b asset.Version) (int, error) {
	p, q := a.Parts(), b.Parts()
	if scheme(p) != scheme(q) {
		return 0, crossing(a, b, "the versions alone don't say which came first")
	}
	return cmp.Or(compare(p, q), strings.Compare(a.String(), b.String())), nil
}

// compare orders versions of one scheme by what they mean.
func compare(p, q asset.Parts) int {
	return cmp.Or(
		compareNumbers(p.Numbers, q.Numbers),
		compareNumbers(p.Release, q.Release),
		compareSet(p.Mark != "", q.Mark != ""), // 1.0.post0 after 1.0
		-compareSet(len(p.Pre) > 0, len(q.Pre) > 0),
		slices.CompareFunc(p.Pre, q.Pre, compareTokens),
		strings.Compare(p.Variant, q.Variant),
		slices.CompareFunc(asset.Tokens(p.Build), asset.Tokens(q.Build), compareTokens),
	)
}

// compareNumbers takes what is missing as 0.
func compareNumbers(a, b asset.Numbers) int {
	for i := range max(len(a), len(b)) {
		var x, y uint64
		if i < len(a) {
			x = a[i]
		}
		if i < len(b) {
			y = b[i]
		}
		if c := cmp.Compare(x, y); c != 0 {
			return c
		}
	}
	return 0
}

// compareSet puts what is not set first.
func compareSet(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// compareTokens puts numbers before words, as SemVer does; more digits are more.
func compareTokens(t, u asset.Token) int {
	if t.Number != u.Number {
		return compareSet(u.Number, t.Number)
	}
	if t.Number {
		return cmp.Or(cmp.Compare(len(t.Word), len(u.Word)), strings.Compare(t.Word, u.Word))
	}
	return strings.Compare(t.Word, u.Word)
}

func crossing(a, b asset.Version, why string) error {
	return invalid("order the versions of each scheme alone, or delete the tags of the scheme that was abandoned",
		"%s (%s) and %s (%s) are of different schemes, and %s", a, SchemeOf(a), b, SchemeOf(b), why)
}

// invalid refuses a list of versions.
func invalid(fix, format string, args ...any) error {
	return &diag.Error{Kind: diag.Invalid, Fix: fix, Err: fmt.Errorf(format, args...)}
}
