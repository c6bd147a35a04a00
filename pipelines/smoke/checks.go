package smoke

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// checks returns what is asked in a boot, from 1. In the second one nothing is
// written: what was written in the first must be there again.
func (s Subject) checks(boot int) []recipe.Check {
	if boot == 1 {
		return s.Checks
	}
	last := map[string]*string{}
	for _, ch := range s.Checks {
		if ch.Put != nil {
			last[ch.PV] = ch.Put
		}
	}
	var again []recipe.Check
	for _, ch := range s.Checks {
		switch {
		case s.Restart && ch.Put != nil && last[ch.PV] == ch.Put:
			again = append(again, recipe.Check{PV: ch.PV, Line: ch.Line, Value: ch.Put})
		case !s.Restart && ch.Put == nil:
			again = append(again, ch)
		}
	}
	return again
}

// questions writes checks as ioc-ask reads them, numbered from 0.
func questions(checks []recipe.Check) string {
	var b strings.Builder
	for i, ch := range checks {
		fmt.Fprintf(&b, "check %d\npv %s\n", i, ch.PV)
		for _, line := range rules(ch) {
			fmt.Fprintln(&b, strings.ReplaceAll(line, "\n", " "))
		}
	}
	return b.String()
}

// rules are the lines that say what a check wants.
func rules(ch recipe.Check) (lines []string) {
	add := func(key, value string, set bool) {
		if set {
			lines = append(lines, key+" "+value)
		}
	}
	text := func(p *string) string {
		if p == nil {
			return ""
		}
		return *p
	}
	number := func(p *float64) string {
		if p == nil {
			return ""
		}
		return strconv.FormatFloat(*p, 'g', -1, 64)
	}
	add("put", text(ch.Put), ch.Put != nil)
	add("reads", ch.Reads, ch.Reads != "")
	add("value", text(ch.Value), ch.Value != nil)
	add("min", number(ch.Min), ch.Min != nil)
	add("max", number(ch.Max), ch.Max != nil)
	add("units", ch.Units, ch.Units != "")
	add("severity", ch.Severity, ch.Severity != "")
	add("type", ch.Type, ch.Type != "")
	add("advances", "", ch.Advances)
	add("within", strconv.FormatFloat(ch.Within, 'g', -1, 64), ch.Within > 0)
	return lines
}

// answer is a line of ioc-ask: whether a check held over a protocol.
type answer struct {
	check    int // its number
	protocol string
	why      string // it did not hold; "ok" when it did
}

// readAnswers reads what ioc-ask printed: the protocols that the IOC serves, and
// the answers.
func readAnswers(lines []string) (protocols []string, answers []answer) {
	for _, line := range lines {
		first, rest, _ := strings.Cut(line, " ")
		if first == "protocol" {
			protocols = append(protocols, rest)
			continue
		}
		number, err := strconv.Atoi(first)
		protocol, why, ok := strings.Cut(rest, " ")
		if err == nil && ok {
			answers = append(answers, answer{check: number, protocol: protocol, why: why})
		}
	}
	return protocols, answers
}

// wrongAnswers are the faults of the checks that did not hold in a boot.
func (b *bootLog) wrongAnswers(s Subject, boot int) (faults []string) {
	checks := s.checks(boot)
	protocols, answers := readAnswers(b.answers)
	if b.started && len(checks) > 0 && len(protocols) == 0 {
		return []string{fmt.Sprintf("%s: %s serves neither Channel Access nor pvAccess", s.File, s.Name)}
	}
	for _, a := range answers {
		if a.why == "ok" || a.check >= len(checks) {
			continue
		}
		ch := checks[a.check]
		over := " over " + a.protocol
		if boot > 1 {
			over += " after a restart"
		}
		faults = append(faults, fmt.Sprintf("%s:%d: %s: %s %s%s", s.File, ch.Line, s.Name, target(ch), a.why, over))
	}
	return faults
}

// evidence returns what the checks that held have shown: the rule, not the value,
// because two runs of one release must leave the same record.
func (b *bootLog) evidence(s Subject, boot int) (lines []string) {
	checks := s.checks(boot)
	_, answers := readAnswers(b.answers)
	for _, a := range answers {
		if a.why != "ok" || a.check >= len(checks) {
			continue
		}
		ch, over := checks[a.check], a.protocol
		if boot > 1 {
			over += ", after a restart"
		}
		lines = append(lines, fmt.Sprintf("%s %s (%s)", target(ch), held(ch), over))
	}
	return lines
}

// target is the PV that a check reads.
func target(ch recipe.Check) string { return cmp.Or(ch.Reads, ch.PV) }

// held returns what a check that passed has shown.
func held(ch recipe.Check) string {
	var shown []string
	add := func(set bool, format string, args ...any) {
		if set {
			shown = append(shown, fmt.Sprintf(format, args...))
		}
	}
	if ch.Value != nil {
		add(true, "is %s", *ch.Value)
	}
	add(ch.Advances, "advances")
	if ch.Min != nil {
		add(true, "is at least %g", *ch.Min)
	}
	if ch.Max != nil {
		add(true, "is at most %g", *ch.Max)
	}
	add(ch.Units != "", "is in %s", ch.Units)
	add(ch.Severity != "", "has the severity %s", ch.Severity)
	add(ch.Type != "", "is of type %s", ch.Type)
	if shown == nil {
		return "is served"
	}
	return strings.Join(shown, ", ")
}
