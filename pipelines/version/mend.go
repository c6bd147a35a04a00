package version

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// refusal tells why something is no version, or not one of its asset's kind.
type refusal struct {
	why  string
	mend string // a version that would do; empty when only the person knows
	fix  string // what to do when there is no mend
}

// error shows the refusal of what somebody wrote. verb and prefix stand before
// the mend: "tag " and "bl45p/".
func (r refusal) error(written, verb, prefix string) error {
	fix := r.fix
	if r.mend != "" {
		fix = verb + prefix + r.mend
	}
	return &diag.Error{Kind: diag.Invalid, Version: printable(written), Err: errors.New(r.why), Fix: fix}
}

// of gives the refusal with a mend that an asset of kind can have.
func (r refusal) of(kind record.Kind) refusal {
	if kind != record.Image && r.mend != "" && (Version{r.mend}).chart() != nil {
		p, _ := split(r.mend)
		r.mend = p.semVer()
		r.fix = semVerFix
	}
	return r
}

const semVerFix = "write three numbers without leading zeros, as in 2026.11.1 or 1.4.0-beta.2"

// printable shortens and quotes what could confuse a terminal.
func printable(s string) string {
	if len(s) > maxLength {
		s = s[:maxLength] + "…"
	}
	if s == "" || strings.TrimSpace(s) != s || strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) {
		return strconv.Quote(s)
	}
	return s
}

// repairs are what people mean by spellings that are no version, tried one
// after the other, each on what the one before left.
var repairs = []func(string) string{
	strings.TrimSpace,
	func(s string) string { return regexp.MustCompile(`^[vVrR][.-]?([0-9])`).ReplaceAllString(s, "$1") },
	func(s string) string { return strings.Replace(s, "_", "+", 1) },
	func(s string) string { return regexp.MustCompile(`^([0-9]+)-([0-9])`).ReplaceAllString(s, "$1.$2") }, // EPICS modules: R4-45
	func(s string) string {
		return regexp.MustCompile(`^([0-9]+)([A-Za-z+-].*)?$`).ReplaceAllString(s, "$1.0$2")
	},
	func(s string) string {
		return regexp.MustCompile(`^([0-9.]*[0-9])([A-Za-z]+)(\+.*)?$`).ReplaceAllString(s, "$1-$2$3")
	},
}

// repair gives the version that somebody meant, or nothing.
func repair(s string) string {
	for _, f := range repairs {
		s = f(s)
		if _, why := take(s); why == "" {
			return s
		}
	}
	return ""
}

// notSemVer tells why a version is not strict SemVer.
func (p parts) notSemVer() *refusal {
	r := &refusal{fix: semVerFix}
	switch {
	case p.mark != "":
		r.why = fmt.Sprintf("%s%s after the numbers is not SemVer, which Helm charts need", p.mark, dotted(p.release))
	case p.variant != "":
		r.why = fmt.Sprintf("%s after the numbers is not SemVer, which Helm charts need", p.variant)
	case len(p.numbers) != 3:
		r.why = fmt.Sprintf("%d numbers are not SemVer, which Helm charts need", len(p.numbers))
	case len(p.pre) > 0:
		r.why = "a pre-release spelled this way is not SemVer, which Helm charts need"
	default:
		r.why = "leading zeros are not SemVer"
	}
	r.mend = p.semVer()
	return r
}

// semVer gives the strict SemVer that comes nearest, or nothing.
func (p parts) semVer() string {
	if p.mark != "" || p.variant != "" || len(p.numbers) > 3 {
		return ""
	}
	s := dotted(append(p.numbers[:len(p.numbers):len(p.numbers)], 0)[:3])
	for i, t := range p.pre {
		s += map[bool]string{true: "-", false: "."}[i == 0] + t.spell()
	}
	if p.build != "" {
		s += "+" + p.build
	}
	if _, err := semver.StrictNewVersion(s); err != nil {
		return ""
	}
	return s
}

// spell writes a token as SemVer does.
func (t token) spell() string {
	switch {
	case t.word != "":
		return t.word
	case t.number:
		return "0"
	}
	return "dev"
}

// dotted writes numbers without leading zeros.
func dotted(list []uint64) string {
	words := make([]string, len(list))
	for i, n := range list {
		words[i] = strconv.FormatUint(n, 10)
	}
	return strings.Join(words, ".")
}
