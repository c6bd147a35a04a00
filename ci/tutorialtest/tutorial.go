// Package tutorialtest types what a page of docs/tutorials shows at a prompt, and
// compares what that prints with what the page says.
package tutorialtest

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	markdown "github.com/yuin/goldmark/text"
)

// Typed is a command of a page, and what it must print.
type Typed struct {
	Line    int // of the page
	Command string
	Want    []string
}

// Follow types commands of a page in one shell, in a home and an environment, and
// compares what they print. Only the last one that was typed can have failed.
func Follow(t *testing.T, page string, steps []Typed, home string, environ []string) {
	t.Helper()
	require.NotEmpty(t, steps, page)
	// A line before each command, and one at the end, cuts the output into pieces.
	mark := "-- " + rand.Text()
	var script strings.Builder
	script.WriteString("set -e -o pipefail\nexec 2>&1 </dev/null\n")
	for _, s := range steps {
		fmt.Fprintf(&script, "echo '%s'\n%s\n", mark, s.Command)
	}
	file := filepath.Join(t.TempDir(), "script")
	require.NoError(t, os.WriteFile(file, []byte(script.String()), 0o600))
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	bash := exec.CommandContext(ctx, "bash", file)
	bash.Dir, bash.Env = home, environ
	out, failed := bash.CombinedOutput()
	pieces := strings.Split(string(out), mark+"\n")[1:]
	for i, piece := range pieces {
		s := steps[i]
		t.Logf("%s:%d: $ %s\n%s", page, s.Line, s.Command, piece)
		if failed != nil && i == len(pieces)-1 {
			t.Fatalf("%s:%d: %s: %v\n%s", page, s.Line, s.Command, failed, piece)
		}
		assert.True(t, s.shows(piece), "%s:%d: %s\nprints:\n%sand not:\n%s", page, s.Line, s.Command, piece,
			strings.Join(s.Want, "\n"))
	}
	require.Len(t, pieces, len(steps))
}

// shows reports whether an output is what the page shows.
func (s Typed) shows(output string) bool {
	pattern := "^"
	for _, line := range s.Want {
		if line == "…" {
			pattern += "(?:.*\n)*?"
			continue
		}
		pattern += strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*") + " *\n"
	}
	return regexp.MustCompile(pattern + "$").MatchString(output)
}

// Commands returns what a page's blocks with an info string type: "console", or
// "console" and what else sets them apart from the other blocks of the page.
func Commands(t *testing.T, file, wanted string) (all []Typed) {
	t.Helper()
	source, err := os.ReadFile(file)
	require.NoError(t, err)
	page := goldmark.DefaultParser().Parse(markdown.NewReader(source))
	require.NoError(t, ast.Walk(page, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		block, ok := n.(*ast.FencedCodeBlock)
		if !ok || !entering || block.Info == nil || block.Lines().Len() == 0 {
			return ast.WalkContinue, nil
		}
		info := string(block.Info.Segment.Value(source))
		assert.NotContains(t, []string{"sh", "bash", "shell"}, info, "what is typed stands in a console block")
		if info != wanted {
			return ast.WalkContinue, nil
		}
		lines := block.Lines()
		first := 1 + strings.Count(string(source[:lines.At(0).Start]), "\n")
		for i := range lines.Len() {
			segment := lines.At(i)
			line := strings.TrimRight(string(segment.Value(source)), "\n")
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				all = append(all, Typed{Line: first + i, Command: command})
				continue
			}
			require.NotEmpty(t, all, "line %d is no output of a command", first+i)
			last := &all[len(all)-1]
			if more, ok := strings.CutPrefix(line, "> "); ok && len(last.Want) == 0 {
				last.Command += "\n" + more
			} else {
				last.Want = append(last.Want, line)
			}
		}
		return ast.WalkContinue, nil
	}))
	return all
}

// Shell runs a script of bash in a folder, and returns what it prints. Its first command
// that fails ends it, and the test.
func Shell(t *testing.T, dir string, environ []string, script string) string {
	t.Helper()
	bash := exec.CommandContext(t.Context(), "bash", "-e", "-c", script)
	bash.Dir, bash.Env = dir, environ
	out, err := bash.CombinedOutput()
	require.NoError(t, err, string(out))
	return string(out)
}
