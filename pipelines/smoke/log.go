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

// bootLog is what boot.sh printed.
type bootLog struct {
	lines   []string // the IOC's own output, without colours
	pvs     []record.PV
	started bool
	exit    int
}

var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

// readBoot reads boot.sh's output.
func readBoot(out string) *bootLog {
	log := &bootLog{exit: -1}
	inPVs := false
	for line := range strings.Lines(colour.ReplaceAllString(out, "")) {
		line = strings.TrimRight(line, "\r\n")
		switch {
		case line == "@started":
			log.started = true
		case line == "@pvs":
			inPVs = true
		case strings.HasPrefix(line, "@exit "):
			log.exit, _ = strconv.Atoi(strings.TrimPrefix(line, "@exit "))
		case inPVs:
			if name, rtyp, ok := strings.Cut(line, ","); ok {
				log.pvs = append(log.pvs, record.PV{
					Name: strings.TrimSpace(name), Type: strings.Trim(strings.TrimSpace(rtyp), `"`),
				})
			}
		case strings.HasPrefix(line, `echo "@started"`), strings.HasPrefix(line, `dbl "" "RTYP"`), line == "< st.cmd":
		default:
			log.lines = append(log.lines, line)
		}
	}
	sort.Slice(log.pvs, func(i, j int) bool { return log.pvs[i].Name < log.pvs[j].Name })
	return log
}

// tail joins the last n lines.
func tail(lines []string, n int) string {
	return strings.TrimSpace(strings.Join(lines[max(0, len(lines)-n):], "\n"))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
