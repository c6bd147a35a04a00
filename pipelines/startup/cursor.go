package startup

import (
	"path"
	"regexp"
	"strings"
)

// Cursor follows a start-up log through the scripts that it comes from: the IOC
// shell echoes each line before it runs it, macros expanded.
type Cursor struct {
	files map[string][]byte
	stack []*script // the script that runs now is the last
}

// script is a script that runs.
type script struct {
	name  string
	lines []*regexp.Regexp // nil for lines that the shell does not echo
	texts []string
	next  int // the index of the line that has not run yet
}

// NewCursor returns a cursor at the beginning of the start-up script among the
// files of a config folder.
func NewCursor(files map[string][]byte) *Cursor {
	c := &Cursor{files: files}
	c.enter(Script)
	return c
}

// Place returns the script that runs and the number of the line that ran last,
// from 1; 0 when none has.
func (c *Cursor) Place() (file string, line int) {
	now := c.stack[len(c.stack)-1]
	return now.name, now.next
}

// Argument returns the first argument of the command that ran last: the file
// that dbLoadRecords and dbLoadTemplate read.
func (c *Cursor) Argument() string {
	now := c.stack[len(c.stack)-1]
	if now.next == 0 {
		return ""
	}
	if words, _ := split(now.texts[now.next-1]); len(words) > 1 {
		return words[1]
	}
	return ""
}

// Echo moves the cursor to the script's line that a line of the log echoes, and
// reports whether it is one.
func (c *Cursor) Echo(line string) bool {
	line = strings.TrimSpace(line)
	for depth := len(c.stack) - 1; depth >= 0; depth-- {
		s := c.stack[depth]
		for i := s.next; i < len(s.lines); i++ {
			if s.lines[i] == nil || !s.lines[i].MatchString(line) {
				continue
			}
			s.next = i + 1
			c.stack = c.stack[:depth+1]
			c.follow(s.texts[i])
			return true
		}
	}
	return false
}

// Unread moves the cursor to the line that a message of the macro library
// quotes: the shell does not echo a line whose macros it can't expand.
func (c *Cursor) Unread(message string) {
	for depth := len(c.stack) - 1; depth >= 0; depth-- {
		s := c.stack[depth]
		for i := s.next; i < len(s.texts); i++ {
			if text := strings.TrimSpace(s.texts[i]); s.lines[i] != nil && strings.Contains(message, text) {
				s.next = i + 1
				c.stack = c.stack[:depth+1]
				return
			}
		}
	}
}

// follow enters the script that a line runs, where it is in the config folder.
func (c *Cursor) follow(text string) {
	words, _ := split(text)
	if len(words) > 1 && (words[0] == "<" || words[0] == "iocshLoad") {
		c.enter(path.Clean(words[1]))
	}
}

func (c *Cursor) enter(name string) {
	const deepest = 32 // a script may run itself
	content, ok := c.files[name]
	if !ok && len(c.stack) > 0 || len(c.stack) >= deepest {
		return
	}
	s := &script{name: name}
	for text := range strings.SplitSeq(string(content), "\n") {
		s.texts = append(s.texts, strings.TrimRight(text, "\r"))
		s.lines = append(s.lines, echoOf(text))
	}
	c.stack = append(c.stack, s)
}

// echoOf returns what the echo of a line looks like; nil for a blank line and a
// comment.
func echoOf(text string) *regexp.Regexp {
	text = strings.TrimSpace(text)
	if text == "" || strings.HasPrefix(text, "#") {
		return nil
	}
	var echo strings.Builder
	for rest := text; rest != ""; {
		before, after, found := cutMacro(rest)
		// What is no UTF-8 may be anything in the log: no regular expression can hold it.
		quoted := regexp.QuoteMeta(strings.ToValidUTF8(before, "\uFFFD"))
		echo.WriteString(strings.ReplaceAll(quoted, "\uFFFD", ".+"))
		if found {
			echo.WriteString(".*")
		}
		rest = after
	}
	return regexp.MustCompile(`^\s*` + echo.String() + `\s*$`)
}

// cutMacro returns the text before and after the first macro in it, whose name and
// default may have macros too: $(P=$(Q=x)). Of one that is not closed there is none.
func cutMacro(text string) (before, after string, found bool) {
	var open []byte // how the macros end that are open
	start := 0
	for i := 0; i < len(text); i++ {
		switch {
		case strings.HasPrefix(text[i:], "$("), strings.HasPrefix(text[i:], "${"):
			if len(open) == 0 {
				start = i
			}
			i++
			open = append(open, map[byte]byte{'(': ')', '{': '}'}[text[i]])
		case len(open) > 0 && text[i] == open[len(open)-1]:
			if open = open[:len(open)-1]; len(open) == 0 {
				return text[:start], text[i+1:], true
			}
		}
	}
	return text, "", false
}
