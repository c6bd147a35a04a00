package smoke

import (
	"maps"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/record"
)

// bootLog is what boot.sh printed of one boot.
type bootLog struct {
	lines   []string // what the IOC and ioc-run printed, without colours
	pvs     []record.PV
	answers []string // what ioc-ask printed
	started bool     // the start-up script has ended
	exit    int
}

// escapes are what a terminal is told by the IOC: colours, and modes of readline.
var escapes = regexp.MustCompile("\x1b\\[[0-9;?]*[a-zA-Z]|\a")

// prompts are those of the IOC shell, which stand before what others print after it.
var prompts = regexp.MustCompile(`^(epics> ?)+`)

var section = regexp.MustCompile(`^@(log|pvs|answers|exit|beside)(?: (\S+))?(?: (\d+))?$`)

// readBoots reads boot.sh's output, a bootLog for each boot.
func readBoots(out string) []*bootLog {
	var all []*bootLog
	var now *bootLog
	part := ""
	for line := range strings.Lines(escapes.ReplaceAllString(out, "")) {
		line = strings.TrimRight(line, "\r\n")
		if m := section.FindStringSubmatch(line); m != nil {
			part = m[1]
			if part == "log" {
				now = &bootLog{exit: -1}
				all = append(all, now)
			}
			if part == "exit" && now != nil {
				now.exit, _ = strconv.Atoi(m[3])
			}
			continue
		}
		if now != nil {
			now.add(part, line)
		}
	}
	for _, b := range all {
		sort.Slice(b.pvs, func(i, j int) bool { return b.pvs[i].Name < b.pvs[j].Name })
	}
	return all
}

// add takes a line of a part of boot.sh's output.
func (b *bootLog) add(part, line string) {
	switch part {
	case "log":
		line = prompts.ReplaceAllString(line, "")
		b.lines = append(b.lines, line)
		b.started = b.started || strings.HasPrefix(line, "ioc-run: the start-up script has ended")
	case "pvs":
		if name, rtyp, ok := strings.Cut(line, ","); ok {
			b.pvs = append(b.pvs, record.PV{Name: strings.TrimSpace(name), Type: strings.Trim(strings.TrimSpace(rtyp), `"`)})
		}
	case "answers":
		b.answers = append(b.answers, line)
	case "beside":
		b.lines = append(b.lines, "beside: "+line)
	}
}

// tail joins the last n lines of the log.
func (b *bootLog) tail(n int) string { return tail(b.lines, n) }

// tail joins the last n lines.
func tail(lines []string, n int) string {
	return strings.TrimSpace(strings.Join(lines[max(0, len(lines)-n):], "\n"))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
