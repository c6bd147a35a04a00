package startup

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// look reports what in a start-up script is certain to fail: files that are
// looked for in the config folder only and are not there, quotes that are not
// closed, an IOC that is never started. Everything else shows when the IOC is
// booted, which happens before each release.
func look(file string, script []byte, files map[string][]byte) error {
	l := &looker{file: file, files: files}
	for i, line := range strings.Split(string(script), "\n") {
		l.command(i+1, line)
	}
	if !l.started && !l.elsewhere {
		l.faults.Addf(file, 0, "end it with iocInit", "nothing in the start-up script starts the IOC")
	}
	return l.faults.Err()
}

// looker goes through a script as the IOC shell does.
type looker struct {
	file      string
	files     map[string][]byte // the config folder
	faults    diag.Faults
	moved     bool // the script went to a folder that is not known here
	started   bool // iocInit was seen
	elsewhere bool // commands come from files too, which may start the IOC
}

// command looks at one line.
func (l *looker) command(line int, text string) {
	words, closed := split(text)
	if len(words) == 0 {
		return
	}
	if !closed && !strings.Contains(text, "$") {
		l.faults.Addf(l.file, line, "close it", "a quote is open at the end of the line")
		return
	}
	arg := ""
	if len(words) > 1 {
		arg = words[1]
	}
	switch words[0] {
	case "cd", "chdir":
		l.moved = true
	case "iocInit", "iocBuild":
		l.started = true
	case "<", "iocshLoad", "iocshRun":
		l.elsewhere = true
		if words[0] != "iocshRun" {
			l.here(line, arg)
		}
	case "dbLoadTemplate":
		l.here(line, arg)
	case "dbLoadRecords", "dbLoadDatabase":
		l.misspelt(line, arg)
	}
}

// plain tells whether a word names a file in the folder the IOC runs from, and
// nothing that only the running IOC knows.
func (l *looker) plain(name string) bool {
	return name != "" && !l.moved && !strings.ContainsAny(name, `/\$<>`) && !strings.ContainsFunc(name, unicode.IsControl)
}

// here reports a file that is opened from the config folder and isn't there.
func (l *looker) here(line int, name string) {
	if _, there := l.files[name]; there || !l.plain(name) {
		return
	}
	fix := "add it, or correct the name"
	if near := strictyaml.Near(name, slices.Sorted(maps.Keys(l.files))); near != "" {
		fix = fmt.Sprintf("did you mean %q?", near)
	}
	l.faults.Addf(l.file, line, fix, "%s is not in the config folder", name)
}

// misspelt reports a database that is not in the config folder where another
// is whose name has the same letters, in another case or order. One of quite
// another name may well be in the image.
func (l *looker) misspelt(line int, name string) {
	if _, there := l.files[name]; there || !l.plain(name) {
		return
	}
	near := strictyaml.Near(name, slices.Sorted(maps.Keys(l.files)))
	if near == "" || letters(near) != letters(name) {
		return
	}
	l.faults.Addf(l.file, line, fmt.Sprintf("did you mean %q?", near), "%s is not in the config folder", name)
}

// letters gives the letters of a name in their alphabet's order.
func letters(name string) string {
	r := []rune(strings.ToLower(name))
	slices.Sort(r)
	return string(r)
}

// split gives the words of a line as the IOC shell (iocsh) splits it, with "<"
// as a word of its own, and whether every quote is closed; comments have none.
func split(line string) (words []string, closed bool) {
	line = strings.TrimSpace(line)
	if strings.HasPrefix(line, "#") {
		return nil, true
	}
	var word strings.Builder
	var quote rune
	in, escaped := false, false
	end := func() {
		if in {
			words = append(words, word.String())
		}
		word.Reset()
		in = false
	}
	for _, c := range line {
		switch {
		case escaped:
			escaped = false
			word.WriteRune(c)
		case c == '\\' && quote == 0:
			escaped, in = true, true
		case quote != 0:
			if c == quote {
				quote = 0
			} else {
				word.WriteRune(c)
			}
		case c == '"' || c == '\'':
			quote, in = c, true
		case strings.ContainsRune(" \t(),\r", c):
			end()
		case c == '<':
			end()
			words = append(words, "<")
		default:
			in = true
			word.WriteRune(c)
		}
	}
	end()
	return words, quote == 0
}
