// Package diag holds the one error type that people see, and what an error
// means for the exit status of a command.
package diag

import (
	"errors"
	"fmt"
	"strings"
)

// Kind says what sort of failure an Error is. Its value is the exit status of
// the command that failed with it.
type Kind int

const (
	// Broken is a part that failed: engine, registry, cluster, disk.
	Broken Kind = 1
	// Invalid is bad input, refused before anything was built or changed.
	Invalid Kind = 2
	// Refused is a gate that did not let the work through.
	Refused Kind = 3
	// Undone is a change that failed and was taken back: all is as it was before.
	Undone Kind = 4
	// Unwell is a change that was done and stays, after which not all is as it was.
	Unwell Kind = 5
)

// Error is a failure as a person at a beamline reads it:
// "file:line: doing asset version: cause; fix". Every field but Kind and Err
// may be empty.
type Error struct {
	Kind    Kind
	Doing   string // a gerund and its object: "packaging chart"
	Asset   string // what it was done to: "bl01t", "ioc-simstage"
	Version string // as in the tag
	File    string // relative to the repository's root
	Line    int    // from 1; 0 when no line is known
	Fix     string // what to do now, an imperative: "tag 2021.9.1"
	Err     error  // the cause
}

// Error returns the whole sentence. Lines of detail below the cause, which are
// indented, follow the fix.
func (e *Error) Error() string {
	var b strings.Builder
	if e.File != "" {
		b.WriteString(e.File)
		if e.Line > 0 {
			fmt.Fprintf(&b, ":%d", e.Line)
		}
		b.WriteString(": ")
	}
	var words []string
	for _, w := range []string{e.Doing, e.Asset, e.Version} {
		if w != "" {
			words = append(words, w)
		}
	}
	b.WriteString(strings.Join(words, " "))
	var detail string
	if e.Err != nil {
		if len(words) > 0 {
			b.WriteString(": ")
		}
		var cause string
		cause, detail = cutDetail(e.Err.Error())
		b.WriteString(cause)
	}
	if e.Fix != "" {
		b.WriteString("; " + e.Fix)
	}
	return b.String() + detail
}

// cutDetail returns the sentence of a cause, and the indented lines below it with
// the line break before them. A cause of several sentences has no details.
func cutDetail(text string) (cause, detail string) {
	at := strings.Index(text, "\n")
	if at < 0 {
		return text, ""
	}
	for line := range strings.Lines(text[at+1:]) {
		if !strings.HasPrefix(line, "  ") {
			return text, ""
		}
	}
	return text[:at], text[at:]
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Invalidf is a fault in a person's file, with the mend. line is from 1, or 0
// when it is not known.
func Invalidf(file string, line int, fix, format string, args ...any) *Error {
	return &Error{Kind: Invalid, File: file, Line: line, Fix: fix, Err: fmt.Errorf(format, args...)}
}

// KindOf returns the kind of the first Error in err's tree, Broken when there is none.
func KindOf(err error) Kind {
	var e *Error
	if errors.As(err, &e) {
		return e.Kind
	}
	return Broken
}

// ExitStatus returns the exit status of a command that ended with err: 0 for nil.
func ExitStatus(err error) int {
	if err == nil {
		return 0
	}
	return int(KindOf(err))
}

// All returns the single faults joined in err (errors.Join, nested or not), in
// order; a lone error is a list of one, nil is empty.
func All(err error) []error {
	if err == nil {
		return nil
	}
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		var all []error
		for _, e := range j.Unwrap() {
			all = append(all, All(e)...)
		}
		return all
	}
	return []error{err}
}
