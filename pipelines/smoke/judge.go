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

// killed is ioc-run's exit status when the IOC did not stop in its time.
const killed = 137

// finding is a line of the start-up log that is a fault or a note, with its
// place.
type finding struct {
	class startup.Class
	file  string // in the config folder
	line  int
	text  string
	named bool // the message itself named the place
}

// findings judges each line of the log.
func (b *bootLog) findings(s Subject) []finding {
	cursor := startup.NewCursor(s.Config)
	var all []finding
	command := 0 // the first of the command that ran last
	for _, line := range b.lines {
		if strings.HasPrefix(line, "ioc-run: ") || strings.HasPrefix(line, "beside: ") {
			continue
		}
		// The database loader may leave the line of an ERROR without an end.
		if cursor.Echo(strings.TrimPrefix(line, "ERROR")) {
			command = len(all)
			continue
		}
		class := s.Startup.Judge(line)
		last := len(all) - 1
		names := inSub.MatchString(line) || inFile.MatchString(line)
		if last >= command && all[last].class == startup.Fault && names {
			for i := range all[command:] { // a loader names the place after what is wrong there
				all[command+i].locate(s, cursor, line)
			}
			continue
		}
		if class == startup.Silence {
			continue
		}
		if strings.HasPrefix(line, "macLib:") {
			cursor.Unread(line)
		}
		f := finding{class: class, text: strings.TrimSpace(line)}
		f.file, f.line = cursor.Place()
		f.locate(s, cursor, line)
		all = append(all, f)
	}
	return all
}

// locate takes the place that a message itself names, where that file is in the
// config folder.
func (f *finding) locate(s Subject, cursor *startup.Cursor, line string) {
	if f.named || f.class != startup.Fault {
		return
	}
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
		f.file, f.text, f.named = path.Clean(name), text, true
		f.line, _ = strconv.Atoi(number)
	}
}

// faults returns what is wrong with the start, each with file and line where the
// IOC names them or its echo of the script shows them.
func (b *bootLog) faults(s Subject) []string {
	var all []string
	for _, f := range b.findings(s) {
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
	if why := b.ended(s); why != "" {
		all = append(all, path.Join(s.Folder, startup.Script)+": "+why)
	}
	if len(all) == 0 {
		all = append(all, b.stopped(s)...)
	}
	return all
}

// ended returns why ioc-run ended the IOC, if it did, and what to do.
func (b *bootLog) ended(s Subject) string {
	for _, line := range b.lines {
		line, own := strings.CutPrefix(line, "ioc-run: ")
		why, ended := strings.CutSuffix(line, "; ending the IOC")
		switch {
		case !own || !ended:
			continue
		case b.started:
			return why + "; see that the IOC serves probePV, or allow more in startup.within"
		default:
			return why + "; speed it up, or allow more in startup.within" + b.lastCommand(s)
		}
	}
	if !b.running() {
		return "the IOC did not reach the end of iocInit; end the start-up script with iocInit"
	}
	return ""
}

// stopped returns what is wrong with the end of an IOC that printed no faults.
func (b *bootLog) stopped(s Subject) []string {
	script := path.Join(s.Folder, startup.Script)
	switch {
	case !b.started:
		return []string{fmt.Sprintf(
			"%s: the IOC ended with exit status %d before its start-up script did%s; see the log",
			script, b.exit, b.lastCommand(s),
		)}
	case b.exit == killed:
		return []string{s.Name + ": the IOC did not stop within its grace period and was killed; " +
			"look for an exit handler or a command of stop.cmd that waits"}
	case b.exit != 0:
		return []string{fmt.Sprintf("%s: the IOC stopped with exit status %d; see the log", s.Name, b.exit)}
	case len(b.pvs) == 0:
		return []string{script + ": the IOC serves no PVs; load a database"}
	}
	return nil
}

// running reports whether iocInit has ended well.
func (b *bootLog) running() bool {
	return slices.ContainsFunc(b.lines, func(line string) bool {
		return strings.Contains(line, "iocRun: All initialization complete")
	})
}

// lastCommand returns which line ran last of a script that has not ended.
func (b *bootLog) lastCommand(s Subject) string {
	if b.started {
		return ""
	}
	cursor := startup.NewCursor(s.Config)
	for _, line := range b.lines {
		cursor.Echo(line)
	}
	file, line := cursor.Place()
	if line == 0 {
		return ""
	}
	return fmt.Sprintf("; the last command was that of %s:%d", path.Join(s.Folder, file), line)
}

// passing is what differs between two starts of one IOC: dates, times and addresses
// in memory.
var passing = regexp.MustCompile(
	`\b\d{4}[-/]\d\d[-/]\d\d([T ]\d\d:\d\d:\d\d(\.\d+)?)?\b|\b\d\d:\d\d:\d\d(\.\d+)?\b|` +
		`\b0x[0-9a-f]{6,}\b`,
)

// notes returns what drivers and modules print of what is not as they want it,
// without what differs between two starts: two runs of one release must leave the
// same record.
func (b *bootLog) notes(s Subject) []string {
	var all []string
	for _, f := range b.findings(s) {
		if f.class == startup.Note {
			text := strings.Join(strings.Fields(passing.ReplaceAllString(f.text, " ")), " ")
			all = append(all, path.Join(s.Folder, f.file)+": "+text)
		}
	}
	return all
}
