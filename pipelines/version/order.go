package version

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
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

// Scheme tells the scheme of a version.
func (v Version) Scheme() Scheme {
	p, _ := split(v.raw)
	return p.scheme()
}

func (p parts) scheme() Scheme {
	switch {
	case p.mark != "" && !after[p.mark]:
		return Scheme(p.mark)
	case len(p.numbers) > 0 && p.numbers[0] >= 1980 && p.numbers[0] < 2200:
		return Calendar
	}
	return Numbers
}

// IsRelease tells whether the version is neither a pre-release nor a variant
// that a word names.
func (v Version) IsRelease() bool {
	p, r := split(v.raw)
	return r == nil && len(p.pre) == 0 && p.variant == ""
}

// Compare orders two versions of one scheme: -1 when a comes before b, 0 only
// when they are spelled the same. Numbers count as numbers, a pre-release
// comes before its release, a variant and a build after the plain version, and
// spellings of the same version are ordered by their bytes. It is SemVer's
// order but for two things that the field means otherwise: b9 comes before
// b10, and dev before alpha. Versions of different schemes are refused.
func Compare(a, b Version) (int, error) {
	p, _ := split(a.raw)
	q, _ := split(b.raw)
	if p.scheme() != q.scheme() {
		return 0, crossing(a, b, "the versions alone don't say which came first")
	}
	return cmp.Or(compare(p, q), strings.Compare(a.raw, b.raw)), nil
}

// compare orders versions of one scheme by what they mean.
func compare(p, q parts) int {
	return cmp.Or(
		compareNumbers(p.numbers, q.numbers),
		compareNumbers(p.release, q.release),
		compareSet(p.mark != "", q.mark != ""), // 1.0.post0 after 1.0
		-compareSet(len(p.pre) > 0, len(q.pre) > 0),
		slices.CompareFunc(p.pre, q.pre, token.compare),
		strings.Compare(p.variant, q.variant),
		slices.CompareFunc(tokens(p.build), tokens(q.build), token.compare),
	)
}

// compareNumbers takes what is missing as 0.
func compareNumbers(a, b []uint64) int {
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

// token is a word or a number of a pre-release or build.
type token struct {
	word   string // as it is compared; for a number its digits without leading zeros
	number bool
}

var run = regexp.MustCompile(`[0-9]+|[A-Za-z]+`)

// tokens cuts beta.1, b1 or B-1 into a word and a number each.
func tokens(s string) (list []token) {
	for _, w := range run.FindAllString(s, -1) {
		if w[0] <= '9' {
			list = append(list, token{strings.TrimLeft(w, "0"), true})
			continue
		}
		if known, ok := before[strings.ToLower(w)]; ok {
			w = known
		}
		list = append(list, token{w, false})
	}
	return list
}

// compare puts numbers before words, as SemVer does; more digits are more.
func (t token) compare(u token) int {
	if t.number != u.number {
		return compareSet(u.number, t.number)
	}
	if t.number {
		return cmp.Or(cmp.Compare(len(t.word), len(u.word)), strings.Compare(t.word, u.word))
	}
	return strings.Compare(t.word, u.word)
}

func crossing(a, b Version, why string) error {
	return refusal{
		why: fmt.Sprintf("%s (%s) and %s (%s) are of different schemes, and %s", a, a.Scheme(), b, b.Scheme(), why),
		fix: "order the versions of each scheme alone, or delete the tags of the scheme that was abandoned",
	}.error("", "", "")
}
