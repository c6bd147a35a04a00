package smoke

import (
	"fmt"
	"maps"
	"path"
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
				log.pvs = append(log.pvs, record.PV{Name: strings.TrimSpace(name), Type: strings.Trim(strings.TrimSpace(rtyp), `"`)})
			}
		case !strings.HasPrefix(line, `echo "@started"`) && !strings.HasPrefix(line, `dbl "" "RTYP"`) && line != "< st.cmd":
			log.lines = append(log.lines, line)
		}
	}
	sort.Slice(log.pvs, func(i, j int) bool { return log.pvs[i].Name < log.pvs[j].Name })
	return log
}

// bad are the ways in which iocsh, the database loader and the dynamic linker
// say that something is wrong. They print and go on, so an IOC with a misspelt
// command runs without what it was to do.
var bad = regexp.MustCompile(`(?i)(^|\W)(error|undefined|not found|can't open|cannot open|failed|illegal|unable to|no such file|not defined)\b`)

// harmless lines match bad but say nothing is wrong.
var harmless = regexp.MustCompile(`(?i)caRepeater|errlogInit|setErrorLevel|asTrapWrite|error log`)

var inScript = regexp.MustCompile(`^(?:ERROR )?(\S+) line (\d+): (.*)$`)

// faults returns what the start-up log says is wrong, each with file and line
// where iocsh names them or the script's own echo shows them.
func (l *bootLog) faults(s Subject) []string {
	var all []string
	script := strings.Split(string(s.Config["st.cmd"]), "\n")
	at := 0 // the script's line that ran last, from 1
	for _, line := range l.lines {
		if n := indexFrom(script, line, at); n > 0 {
			at = n
			continue
		}
		if !bad.MatchString(line) || harmless.MatchString(line) {
			continue
		}
		file, n, text := "st.cmd", at, line
		if m := inScript.FindStringSubmatch(line); m != nil && path.Base(m[1]) != "boot.cmd" {
			file, text = path.Base(m[1]), m[3]
			n, _ = strconv.Atoi(m[2])
		}
		where := fmt.Sprintf("%s:%d: ", path.Join(s.Folder, file), max(n, 1))
		if k := len(all) - 1; k >= 0 && strings.HasPrefix(all[k], where) {
			all[k] += "; " + text // one command may complain on several lines
		} else {
			all = append(all, where+text)
		}
	}
	if !slices.ContainsFunc(l.lines, func(s string) bool {
		return strings.Contains(s,
			"iocRun: All initialization complete")
	}) {
		all = append(all,
			fmt.Sprintf("%s: the IOC did not reach the end of iocInit; end the start-up script with iocInit",
				path.Join(s.Folder, "st.cmd")))
	}
	if len(all) == 0 && l.exit == 124 {
		all = append(all,
			fmt.Sprintf("%s: the IOC did not stop within its grace period; its main program must leave on SIGTERM", s.Name))
	}
	if len(all) == 0 && l.exit != 0 {
		all = append(all, fmt.Sprintf("%s: the IOC stopped with exit status %d; see the log", s.Name, l.exit))
	}
	return all
}

// indexFrom finds line in a script after the line numbered from; its number
// from 1, or 0. Blank lines and comments are not looked for.
func indexFrom(script []string, line string, from int) int {
	want := strings.TrimSpace(line)
	if want == "" || strings.HasPrefix(want, "#") {
		return 0
	}
	for i := from; i < len(script); i++ {
		if strings.TrimSpace(script[i]) == want {
			return i + 1
		}
	}
	return 0
}

// tail joins the last n lines.
func tail(lines []string, n int) string {
	return strings.TrimSpace(strings.Join(lines[max(0, len(lines)-n):], "\n"))
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
