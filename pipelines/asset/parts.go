package asset

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// maxLength is the longest tag the OCI distribution specification allows.
const maxLength = 128

// Parts is a version taken apart.
type Parts struct {
	Numbers Numbers // 7.0.8: two to four
	Mark    string  // of the release, in lower case: "r" in r1.0, "ec" in ec2; empty for none
	Release Numbers // 1.0 in r1.0
	Pre     []Token // beta 3; empty for a release
	Variant string  // "multi"
	Build   string  // after +
}

// Numbers are numbers with dots between.
type Numbers []uint64

// String returns the numbers without leading zeros.
func (n Numbers) String() string {
	words := make([]string, len(n))
	for i, v := range n {
		words[i] = strconv.FormatUint(v, 10)
	}
	return strings.Join(words, ".")
}

// Token is a word or a number of a pre-release or build.
type Token struct {
	Word   string // as it is compared: "beta" for b; of a number the digits without leading zeros
	Number bool
}

var run = regexp.MustCompile(`[0-9]+|[A-Za-z]+`)

// Tokens cuts beta.1, b1 or B-1 into a word and a number each.
func Tokens(s string) (list []Token) {
	for _, w := range run.FindAllString(s, -1) {
		if w[0] <= '9' {
			list = append(list, Token{strings.TrimLeft(w, "0"), true})
			continue
		}
		if known, ok := before[strings.ToLower(w)]; ok {
			w = known
		}
		list = append(list, Token{w, false})
	}
	return list
}

var (
	shape = regexp.MustCompile(`^([0-9]+(?:\.[0-9]+)*)([0-9A-Za-z.]*)(?:-([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?(?:\+([0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*))?$`)
	piece = regexp.MustCompile(`^(\.?)([A-Za-z]+)(?:\.?([0-9]+(?:\.[0-9]+)*))?`)
)

// before are the words of the field that come before a release, as they are
// compared: dev first, then by the alphabet.
var before = map[string]string{
	"dev": "", "a": "alpha", "alpha": "alpha", "b": "beta", "beta": "beta",
	"c": "rc", "rc": "rc", "pre": "pre", "preview": "pre",
}

// split takes a version apart, or returns why it is none.
func split(s string) (Parts, *refusal) {
	p, why := take(s)
	if why != "" {
		return p, &refusal{
			why: why, mend: repair(s),
			fix: "write two to four numbers and what follows them, as in 1.0.0, 2026.11.1, 7.0.8r1.0 or 7.0.8r1.0-beta.1",
		}
	}
	return p, nil
}

func take(s string) (p Parts, why string) {
	if len(s) > maxLength {
		return p, fmt.Sprintf("longer than the %d characters of a registry's tag", maxLength)
	}
	if strings.Contains(s, "_") {
		return p, "_ stands for + in a registry, so a version cannot have it"
	}
	m := shape.FindStringSubmatch(s)
	if m == nil {
		return p, "not a version"
	}
	if p.Numbers, why = numbers(m[1]); why != "" {
		return p, why
	}
	why = p.takePieces(m[2])
	if n := len(p.Numbers); why == "" && (n < 2 || n > 4) {
		why = fmt.Sprintf("%d number%s where two to four are meant", n, plural(n))
	}
	p.Pre = append(p.Pre, Tokens(m[3])...)
	p.Build = m[4]
	return p, why
}

// takePieces reads what follows the numbers: a release, a pre-release, a
// variant, in this order, each at most once.
func (p *Parts) takePieces(s string) string {
	for s != "" {
		m := piece.FindStringSubmatch(s)
		if m == nil || p.Variant != "" {
			return fmt.Sprintf("%s is no release, pre-release or variant", s)
		}
		s = s[len(m[0]):]
		word := strings.ToLower(m[2])
		_, isPre := before[word]
		switch {
		case m[3] == "" && m[1] == "":
			return fmt.Sprintf("%s has no number, so it may come before or after the release", m[2])
		case isPre && len(p.Pre) == 0:
			p.Pre = Tokens(m[2] + "." + m[3])
		case m[3] == "":
			p.Variant = m[2]
		case p.Mark == "" && len(p.Pre) == 0:
			var why string
			p.Mark = word
			if p.Release, why = numbers(m[3]); why != "" {
				return why
			}
		default:
			return fmt.Sprintf("%s%s is one release or pre-release too many", m[2], m[3])
		}
	}
	return ""
}

// numbers reads digits with dots between. 18 digits is what surely fits.
func numbers(s string) (list Numbers, why string) {
	for f := range strings.SplitSeq(s, ".") {
		n, err := strconv.ParseUint(f, 10, 64)
		if err != nil || len(f) > 18 {
			return nil, "a number of more than 18 digits"
		}
		list = append(list, n)
	}
	return list, ""
}

func plural(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}
