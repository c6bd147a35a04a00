package host

import (
	"net/netip"
	"slices"
	"strings"
)

// undoRules returns the input of iptables-restore that takes our network's rules
// out of a table, and the network plugins' chains that hold nothing else; ""
// when there are none. before and now are what iptables-save printed for the
// table: what was there before stays, and so does what is another network's.
func undoRules(table, before, now string) string {
	had := map[string]bool{}
	for _, line := range strings.Split(before, "\n") {
		had[withoutCounters(line)] = true
	}
	var rules, chains []string // that were not there before
	ours := map[string]bool{}
	for _, line := range strings.Split(now, "\n") {
		line = withoutCounters(line)
		switch {
		case had[line]:
		case strings.HasPrefix(line, "-A "):
			rules = append(rules, line)
			ours[line] = namesNetwork(line)
		case strings.HasPrefix(line, ":CNI-"):
			chains = append(chains, line[1:])
		}
	}
	empty := emptied(chains, rules, ours)
	var lines []string
	for _, r := range rules {
		if ours[r] {
			lines = append(lines, "-D"+strings.TrimPrefix(r, "-A"))
		}
	}
	for _, c := range empty {
		lines = append(lines, "-X "+c)
	}
	if len(lines) == 0 {
		return ""
	}
	return "*" + table + "\n" + strings.Join(lines, "\n") + "\nCOMMIT\n"
}

// emptied returns the chains that hold no rule but ours. The rules that lead to
// them become ours too, which may empty another.
func emptied(chains, rules []string, ours map[string]bool) []string {
	var empty []string
	for again := true; again; {
		again = false
		for _, c := range chains {
			if slices.Contains(empty, c) || slices.ContainsFunc(rules, func(r string) bool {
				return strings.HasPrefix(r, "-A "+c+" ") && !ours[r]
			}) {
				continue
			}
			empty, again = append(empty, c), true
			for _, r := range rules {
				ours[r] = ours[r] || strings.HasSuffix(r, " -j "+c)
			}
		}
	}
	return empty
}

// namesNetwork reports whether a rule names our network or an address in it.
func namesNetwork(rule string) bool {
	if strings.Contains(rule, `name: \"`+NetworkName+`\"`) {
		return true
	}
	ours := netip.MustParsePrefix(NetworkCIDR)
	for _, word := range strings.Fields(rule) {
		if p, err := netip.ParsePrefix(word); err == nil && ours.Contains(p.Addr()) {
			return true
		}
	}
	return false
}

// withoutCounters drops a chain's policy and counters: ":CNI-X - [0:0]" is ":CNI-X".
func withoutCounters(line string) string {
	if strings.HasPrefix(line, ":") {
		line, _, _ = strings.Cut(line, " ")
	}
	return line
}
