package smoke

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/startup"
)

// The ways in which EPICS Base names the place of what it prints.
var (
	inScript = regexp.MustCompile(`^(?:ERROR )?(\S+) line (\d+): (.*)$`)
	inFile   = regexp.MustCompile(`in\s+(?:path "[^"]*"\s+)?file "([^"]+)" line (\d+)`)
	inSub    = regexp.MustCompile(`^line (\d+): '`)
	inMacros = regexp.MustCompile(`^Warning: '([^']+)' line (\d+) has undefined macros`)
)

// finding is a line of the start-up log that is a fault or a note, with its
// place.
type finding struct {
	class startup.Class
	file  string // in the config folder
	line  int
	text  string
}

// findings judges each line of the log.
func (l *bootLog) findings(s Subject) []finding {
	cursor := startup.NewCursor(s.Config)
	var all []finding
	for _, line := range l.lines {
		if cursor.Echo(line) {
			continue
		}
		class := s.Startup.Judge(line)
		last := len(all) - 1
		if last >= 0 && all[last].class == startup.Fault && (inSub.MatchString(line) || inFile.MatchString(line)) {
			all[last].locate(s, cursor, line) // a loader names the place on the next line
			continue
		}
		if class == startup.Silence {
			continue
		}
		if strings.HasPrefix(line, "macLib:") {
			cursor.Unread(line)
		}
		f := finding{class: class, text: line}
		f.file, f.line = cursor.Place()
		f.locate(s, cursor, line)
		all = append(all, f)
	}
	return all
}

// locate takes the place that a message itself names, where that file is in the
// config folder.
func (f *finding) locate(s Subject, cursor *startup.Cursor, line string) {
	name, number, text := "", "", f.text
	if m := inScript.FindStringSubmatch(line); m != nil {
		name, number, text = m[1], m[2], m[3]
	} else if m := inFile.FindStringSubmatch(line); m != nil {
		name, number = m[1], m[2]
	} else if m := inMacros.FindStringSubmatch(line); m != nil {
		name, number = m[1], m[2]
	} else if m := inSub.FindStringSubmatch(line); m != nil {
		name, number = cursor.Argument(), m[1]
	}
	if _, ok := s.Config[path.Clean(name)]; ok && name != "" {
		f.file, f.text = path.Clean(name), text
		f.line, _ = strconv.Atoi(number)
	}
}

// faults returns what is wrong with the start, each with file and line where the
// IOC names them or its echo of the script shows them.
func (l *bootLog) faults(s Subject) []string {
	var all []string
	for _, f := range l.findings(s) {
		if f.class != startup.Fault {
			continue
		}
		where := fmt.Sprintf("%s:%d: ", path.Join(s.Folder, f.file), max(f.line, 1))
		if k := len(all) - 1; k >= 0 && strings.HasPrefix(all[k], where) {
			all[k] += "; " + f.text // one command may complain on several lines
		} else {
			all = append(all, where+f.text)
		}
	}
	script := path.Join(s.Folder, startup.Script)
	if !l.running() {
		return append(all, script+": the IOC did not reach the end of iocInit; end the start-up script with iocInit")
	}
	if len(all) > 0 {
		return all
	}
	switch {
	case !l.started:
		return []string{fmt.Sprintf(
			"%s: the start-up script has not ended within %s%s; speed it up, or allow more in startup.within",
			script, s.Startup.Duration(), l.lastCommand(s),
		)}
	case l.exit == 124:
		return []string{
			s.Name + ": the IOC did not stop within its grace period; its main program must leave on SIGTERM",
		}
	case l.exit != 0:
		return []string{fmt.Sprintf("%s: the IOC stopped with exit status %d; see the log", s.Name, l.exit)}
	case len(l.pvs) == 0:
		return []string{script + ": the IOC serves no PVs; load a database"}
	}
	return nil
}

// running reports whether iocInit has ended well.
func (l *bootLog) running() bool {
	return slices.ContainsFunc(l.lines, func(line string) bool {
		return strings.Contains(line, "iocRun: All initialization complete")
	})
}

// lastCommand returns which line of a script that has not ended ran last.
func (l *bootLog) lastCommand(s Subject) string {
	cursor := startup.NewCursor(s.Config)
	for _, line := range l.lines {
		cursor.Echo(line)
	}
	file, line := cursor.Place()
	if line == 0 {
		return ""
	}
	return fmt.Sprintf(", and the last command was that of %s:%d", path.Join(s.Folder, file), line)
}

// times are what differs between two starts of one IOC.
var times = regexp.MustCompile(`\b\d{4}[-/]\d\d[-/]\d\d[T ]?|\b\d\d:\d\d:\d\d(\.\d+)?\b|\b0x[0-9a-f]{6,}\b`)

// notes returns what drivers and modules print of what is not as they want it,
// sorted, without what differs between two starts: two runs of one release must
// leave the same record.
func (l *bootLog) notes(s Subject) []string {
	var all []string
	for _, f := range l.findings(s) {
		if f.class == startup.Note {
			text := strings.Join(strings.Fields(times.ReplaceAllString(f.text, " ")), " ")
			all = append(all, path.Join(s.Folder, f.file)+": "+text)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
