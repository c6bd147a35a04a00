// Package upstream reads what the source of a support module says about itself:
// makefiles, database definitions, submodules, and its own continuous
// integration.
package upstream

import (
	"regexp"
	"strings"
)

// Assignment is a line of a makefile that sets a variable.
type Assignment struct {
	Name    string // "motor_LIBS"
	Op      string // "=", ":=", "+=" or "?="
	Value   string // without a comment: "asyn"
	Line    int    // where it begins, from 1
	Comment bool   // it is commented out: "#IPAC=$(SUPPORT)/ipac-2-16"
	Within  []string
}

// Include is a line of a makefile that reads another one.
type Include struct {
	Path string // as written: "$(TOP)/configure/RELEASE.local"
	Must bool   // make stops where it is missing: there is no "-" before it
	Line int
}

// Makefile is what is understood of a makefile.
type Makefile struct {
	Assignments []Assignment
	Includes    []Include
	// Conditions are the ifdef and ifeq lines of the file, as written.
	Conditions []string
}

var (
	assignmentLine = regexp.MustCompile(`^\s*(#[#!\s]*)?([A-Za-z_][A-Za-z0-9_.-]*)\s*(:?:=|\+=|\?=|=)\s*(.*)$`)
	includeLine    = regexp.MustCompile(`^\s*([-s]?)include\s+(.+)$`)
	conditionLine  = regexp.MustCompile(`^\s*(ifdef|ifndef|ifeq|ifneq)\b`)
	elseLine       = regexp.MustCompile(`^\s*else\b`)
	endLine        = regexp.MustCompile(`^\s*endif\b`)
)

// ReadMakefile reads a makefile of EPICS's build system; lines that are neither
// assignments, includes nor conditions are passed over.
func ReadMakefile(text string) Makefile {
	var m Makefile
	var within []string
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		first := i + 1
		line, more := joined(lines[i:])
		i += more
		switch {
		case conditionLine.MatchString(line):
			within = append(within[:len(within):len(within)], strings.TrimSpace(line))
			m.Conditions = append(m.Conditions, strings.TrimSpace(line))
		case elseLine.MatchString(line):
			if n := len(within); n > 0 {
				within = append(within[:n-1:n-1], "not "+within[n-1])
			}
		case endLine.MatchString(line):
			within = within[:max(0, len(within)-1)]
		case includeLine.MatchString(line):
			found := includeLine.FindStringSubmatch(line)
			m.Includes = append(m.Includes, Include{withoutComment(found[2]), found[1] == "", first})
		default:
			if found := assignmentLine.FindStringSubmatch(line); found != nil {
				m.Assignments = append(m.Assignments, Assignment{
					Name: found[2], Op: found[3], Value: withoutComment(found[4]), Line: first,
					Comment: found[1] != "", Within: within,
				})
			}
		}
	}
	return m
}

// joined returns the first of some lines with those that it goes on in, as its final
// backslashes say, and how many they are.
func joined(lines []string) (line string, more int) {
	var whole strings.Builder
	line = strings.TrimRight(lines[0], "\r")
	for strings.HasSuffix(line, `\`) && more+1 < len(lines) {
		more++
		whole.WriteString(strings.TrimSuffix(line, `\`) + " ")
		line = strings.TrimLeft(strings.TrimRight(lines[more], "\r"), " \t")
	}
	whole.WriteString(line)
	return whole.String(), more
}

// withoutComment cuts the comment off a value.
func withoutComment(value string) string {
	value, _, _ = strings.Cut(value, "#")
	return strings.TrimSpace(value)
}

// Values returns the words that a makefile adds to a variable, whatever the
// conditions.
func (m Makefile) Values(name string) []string {
	var words []string
	for _, a := range m.Assignments {
		if a.Name == name && !a.Comment {
			words = append(words, strings.Fields(a.Value)...)
		}
	}
	return words
}
