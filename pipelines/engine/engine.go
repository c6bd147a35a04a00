// Package engine holds what is the same for all work that the Dagger engine
// does: shell scripts as commands, folders as inputs, and its errors as text.
package engine

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"dagger.io/dagger"
)

// Tools is the image of containers that work on content without being part of it. It
// has a shell, Perl, and util-linux.
const Tools = "debian:trixie-slim"

// Shell returns the command that runs a shell script with arguments: $1 and on.
func Shell(script string, args ...string) []string {
	return append([]string{"sh", "-c", script, "sh"}, args...)
}

// Failed returns what is known of a command that ended with another exit status
// than 0; false where err is something else.
func Failed(err error) (*dagger.ExecError, bool) {
	var exec *dagger.ExecError
	return exec, errors.As(err, &exec)
}

// Explain turns an engine's error about a command into the lines of its output
// that say what went wrong; the engine's own text hides them. Other errors are
// returned as they are.
func Explain(err error) error {
	exec, ok := Failed(err)
	if !ok {
		return err
	}
	text := fmt.Sprintf("%s: exit status %d", short(exec.Cmd), exec.ExitCode)
	if output := strings.TrimSpace(exec.Stdout + "\n" + exec.Stderr); output != "" {
		text += "\n  " + strings.Join(telling(output), "\n  ")
	} else {
		text += ", and it printed nothing"
	}
	return explained{text, exec}
}

// explained is the failure of a command as a person reads it.
type explained struct {
	text string
	exec *dagger.ExecError
}

func (e explained) Error() string { return e.text }

// Unwrap lets Failed find the command that failed.
func (e explained) Unwrap() error { return e.exec }

// Fix returns what to do about an engine's error: mend, when a command ended with
// another exit status than 0, or else to see to the engine.
func Fix(err error, mend string) string {
	if _, ok := Failed(err); ok {
		return mend
	}
	return "see that the engine runs and has space left on its disk, then run it again"
}

// short returns a command as a person knows it: without the text of a script.
func short(cmd []string) string {
	if len(cmd) > 2 && cmd[0] == "sh" && cmd[1] == "-c" {
		script := strings.TrimPrefix(cmd[2], "exec ")
		program, _, _ := strings.Cut(script, " ")
		if program == "make" {
			return program
		}
		if strings.Contains(script, "\n") {
			return strings.Join(append([]string{"sh -c …"}, cmd[3:]...), " ")
		}
	}
	return strings.Join(cmd, " ")
}

var trouble = regexp.MustCompile(`(?i)\b(error|undefined reference|no such file|cannot find|can't find|not found|` +
	`no rule to make|unable to locate|fatal)\b`)

var fromMake = regexp.MustCompile(`^\s*make(\[\d+\])?: \*\*\* .*Error \d+( \(ignored\))?$`)

// telling picks the lines of a command's output, which is not empty, that say what went
// wrong, or the last ones when none does; at most twelve.
func telling(output string) []string {
	lines := strings.Split(output, "\n")
	var picked, makes []string
	for _, l := range lines {
		switch {
		case !trouble.MatchString(l), slices.Contains(picked, strings.TrimSpace(l)):
		case fromMake.MatchString(l):
			makes = append(makes, strings.TrimSpace(l))
		default:
			picked = append(picked, strings.TrimSpace(l))
		}
	}
	// What make says of a compiler's error is only where it met it.
	if len(picked) == 0 {
		picked = makes
	}
	const most = 12
	if len(picked) == 0 {
		picked = lines[max(0, len(lines)-most):]
	}
	return picked[:min(len(picked), most)]
}
