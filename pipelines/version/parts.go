package version

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// maxLength is the longest tag the OCI distribution specification allows.
const maxLength = 128

// parts is a version taken apart for ordering.
type parts struct {
	numbers []uint64 // 7.0.8: two to four
	mark    string   // of the release: "r" in r1.0, "ec" in ec2; empty for none
	release []uint64 // 1.0 in r1.0
	pre     []token  // beta 3; empty for a release
	variant string   // "multi"
	build   string   // after +
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

// after are words for a patch of a release: it stays in the release's scheme.
var after = map[string]bool{"post": true, "p": true, "patch": true}

// split takes a version apart, or tells why it is none.
func split(s string) (parts, *refusal) {
	p, why := take(s)
	if why != "" {
		return p, &refusal{why: why, mend: repair(s), fix: "write two to four numbers and what follows them, as in 1.0.0, 2026.11.1, 7.0.8r1.0 or 7.0.8r1.0-beta.1"}
	}
	return p, nil
}

func take(s string) (p parts, why string) {
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
	if p.numbers, why = numbers(m[1]); why != "" {
		return p, why
	}
	why = p.takePieces(m[2])
	if n := len(p.numbers); why == "" && (n < 2 || n > 4) {
		why = fmt.Sprintf("%d number%s where two to four are meant", n, plural(n))
	}
	p.pre = append(p.pre, tokens(m[3])...)
	p.build = m[4]
	return p, why
}

// takePieces reads what follows the numbers: a release, a pre-release, a
// variant, in this order, each at most once.
func (p *parts) takePieces(s string) string {
	for s != "" {
		m := piece.FindStringSubmatch(s)
		if m == nil || p.variant != "" {
			return fmt.Sprintf("%s is no release, pre-release or variant", s)
		}
		s = s[len(m[0]):]
		word := strings.ToLower(m[2])
		_, isPre := before[word]
		switch {
		case m[3] == "" && m[1] == "":
			return fmt.Sprintf("%s has no number, so it may come before or after the release", m[2])
		case isPre && len(p.pre) == 0:
			p.pre = tokens(m[2] + "." + m[3])
		case m[3] == "":
			p.variant = m[2]
		case p.mark == "" && len(p.pre) == 0:
			var why string
			p.mark = word
			if p.release, why = numbers(m[3]); why != "" {
				return why
			}
		default:
			return fmt.Sprintf("%s%s is one release or pre-release too many", m[2], m[3])
		}
	}
	return ""
}

// numbers reads digits with dots between. 18 digits is what surely fits.
func numbers(s string) (list []uint64, why string) {
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
