package startup

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// checkScript returns what in a start-up script is certain to fail: files that
// are looked for in the config folder only and are not there, quotes that are not
// closed, an IOC that is never started. Everything else shows when the IOC is
// booted, which happens before each release.
func checkScript(file string, script []byte, files map[string][]byte) error {
	s := &scriptCheck{file: file, files: files}
	begins := func(mark string) bool { return bytes.HasPrefix(script, []byte(mark)) }
	if slices.ContainsFunc(marks, begins) {
		s.faults.Addf(file, 1, "save it as UTF-8 without a byte order mark",
			"the text begins with a byte order mark, which the IOC shell takes for part of the first command")
		return s.faults.Err()
	}
	for i, line := range strings.Split(string(script), "\n") {
		s.command(i+1, line)
	}
	if !s.started && !s.elsewhere {
		s.faults.Addf(file, 0, "end it with iocInit", "nothing in the start-up script starts the IOC")
	}
	return s.faults.Err()
}

// marks are the byte order marks of UTF-8 and UTF-16, as editors of Windows write them.
var marks = []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"}

// scriptCheck reads a script as the IOC shell does.
type scriptCheck struct {
	file      string
	files     map[string][]byte // the config folder
	faults    diag.Faults
	moved     bool // the script went to a folder that is not known here
	started   bool // iocInit was seen
	elsewhere bool // commands come from files too, which may start the IOC
}

// command looks at one line.
func (s *scriptCheck) command(line int, text string) {
	words, closed := split(text)
	if len(words) == 0 {
		return
	}
	if !closed && !strings.Contains(text, "$") {
		s.faults.Addf(s.file, line, "close it", "a quote is open at the end of the line")
		return
	}
	arg := ""
	if len(words) > 1 {
		arg = words[1]
	}
	switch words[0] {
	case "cd", "chdir":
		s.moved = true
	case "iocInit", "iocBuild":
		s.started = true
	case "<", "iocshLoad", "iocshRun":
		s.elsewhere = true
		if words[0] != "iocshRun" {
			s.needFile(line, arg)
		}
	case "dbLoadTemplate":
		s.needFile(line, arg)
	case "dbLoadRecords", "dbLoadDatabase":
		s.needDatabase(line, arg)
	}
}

// inConfig reports whether a word names a file in the folder the IOC runs from, and
// nothing that only the running IOC knows.
func (s *scriptCheck) inConfig(name string) bool {
	return name != "" && !s.moved && !strings.ContainsAny(name, `/\$<>`) && !strings.ContainsFunc(
		name, unicode.IsControl,
	)
}

// needFile reports a file that is opened from the config folder and isn't there.
func (s *scriptCheck) needFile(line int, name string) {
	if _, there := s.files[name]; there || !s.inConfig(name) {
		return
	}
	others := slices.Sorted(maps.Keys(s.files))
	others = slices.DeleteFunc(others, func(other string) bool { return other == Script }) // it would run itself
	fix := strictyaml.Meant(name, others, "add it, or correct the name")
	s.faults.Addf(s.file, line, fix, "%s is not in the config folder", name)
}

// needDatabase reports a database that is not in the config folder where another
// is whose name has the same letters, in another case or order. One of quite
// another name may well be in the image.
func (s *scriptCheck) needDatabase(line int, name string) {
	if _, there := s.files[name]; there || !s.inConfig(name) {
		return
	}
	near := strictyaml.Near(name, slices.Sorted(maps.Keys(s.files)))
	if near == "" || letters(near) != letters(name) {
		return
	}
	s.faults.Addf(s.file, line, fmt.Sprintf("did you mean %q?", near), "%s is not in the config folder", name)
}

// letters returns the letters of a name in their alphabet's order.
func letters(name string) string {
	r := []rune(strings.ToLower(name))
	slices.Sort(r)
	return string(r)
}

// split returns the words of a line as the IOC shell (iocsh) splits it, with "<" and ">"
// as words of their own, and whether every quote is closed; a comment has no words.
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
		case c == '<' || c == '>':
			end()
			words = append(words, string(c))
		default:
			in = true
			word.WriteRune(c)
		}
	}
	end()
	return words, quote == 0
}
