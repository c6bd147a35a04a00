package asset

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// refusal is why something is no version, or not one of its asset's kind.
type refusal struct {
	why  string
	mend string // a version that would do; empty when only the person knows
	fix  string // what to do when there is no mend
}

// error returns the refusal of what somebody wrote. verb and prefix stand before
// the mend: "tag " and "bl45p/".
func (r refusal) error(written, verb, prefix string) error {
	fix := r.fix
	if r.mend != "" {
		fix = verb + prefix + r.mend
	}
	return &diag.Error{Kind: diag.Invalid, Version: printable(written), Err: errors.New(r.why), Fix: fix}
}

// suiting returns the refusal with a mend that an asset of kind can have.
func (r refusal) suiting(kind Kind) refusal {
	if kind != Image && r.mend != "" && (Version{r.mend}).chart() != nil {
		p, _ := split(r.mend)
		r.mend = p.semVer()
		r.fix = semVerFix
	}
	return r
}

const semVerFix = "write three numbers without leading zeros, as in 2026.11.1 or 1.4.0-beta.2"

// repairs are what people mean by spellings that are no version, tried one
// after the other, each on what the one before left.
var repairs = []func(string) string{
	strings.TrimSpace,
	func(s string) string { return regexp.MustCompile(`^[vVrR][.-]?([0-9])`).ReplaceAllString(s, "$1") },
	func(s string) string { return strings.Replace(s, "_", "+", 1) },
	// EPICS modules: R4-45
	func(s string) string { return regexp.MustCompile(`^([0-9]+)-([0-9])`).ReplaceAllString(s, "$1.$2") },
	func(s string) string {
		return regexp.MustCompile(`^([0-9]+)([A-Za-z+-].*)?$`).ReplaceAllString(s, "$1.0$2")
	},
	func(s string) string {
		return regexp.MustCompile(`^([0-9.]*[0-9])([A-Za-z]+)(\+.*)?$`).ReplaceAllString(s, "$1-$2$3")
	},
}

// repair returns the version that somebody meant, or nothing.
func repair(s string) string {
	for _, f := range repairs {
		s = f(s)
		if _, why := take(s); why == "" {
			return s
		}
	}
	return ""
}

// notSemVer returns why a version is not strict SemVer.
func (p Parts) notSemVer() *refusal {
	r := &refusal{fix: semVerFix}
	switch {
	case p.Mark != "":
		r.why = fmt.Sprintf("%s%s after the numbers is not SemVer, which Helm charts need", p.Mark, p.Release)
	case p.Variant != "":
		r.why = fmt.Sprintf("%s after the numbers is not SemVer, which Helm charts need", p.Variant)
	case len(p.Numbers) != 3:
		r.why = fmt.Sprintf("%d numbers are not SemVer, which Helm charts need", len(p.Numbers))
	case len(p.Pre) > 0:
		r.why = "a pre-release spelled this way is not SemVer, which Helm charts need"
	default:
		r.why = "leading zeros are not SemVer"
	}
	r.mend = p.semVer()
	return r
}

// semVer returns the strict SemVer that comes nearest, or nothing.
func (p Parts) semVer() string {
	if p.Mark != "" || p.Variant != "" || len(p.Numbers) > 3 {
		return ""
	}
	s := append(p.Numbers[:len(p.Numbers):len(p.Numbers)], 0)[:3].String()
	for i, t := range p.Pre {
		s += map[bool]string{true: "-", false: "."}[i == 0] + t.spell()
	}
	if p.Build != "" {
		s += "+" + p.Build
	}
	if _, err := semver.StrictNewVersion(s); err != nil {
		return ""
	}
	return s
}

// spell writes a token as SemVer does.
func (t Token) spell() string {
	switch {
	case t.Word != "":
		return t.Word
	case t.Number:
		return "0"
	}
	return "dev"
}
