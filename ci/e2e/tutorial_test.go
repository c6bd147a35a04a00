package e2e

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

	"github.com/tagline-ci/tagline/ci/local/state"
)

// tutorials are pages of docs/tutorials in the order in which a person reads them: the
// later ones go on with what the first one made.
var tutorials = []string{"first-ioc.md", "beamline.md", "module.md", "from-epics-containers.md"}

// typed is a command of a page, and what it must print.
type typed struct {
	line    int // of the page
	command string
	want    []string
}

// TestTutorials types every command of the tutorials' console blocks, as they stand
// there, in a home that is empty, and compares what they print. An ellipsis stands for
// any text; alone in a line, for any lines. Blocks that a person does by hand, as at a
// terminal, say so in their info string.
func TestTutorials(t *testing.T) {
	home := t.TempDir()
	bin := t.TempDir()
	require.NoError(t, os.Symlink(tagline, filepath.Join(bin, "tagline")))
	dir, err := state.FromEnvironment(os.Getenv)
	require.NoError(t, err)
	environ := []string{
		"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + home, "TAGLINE_STATE=" + string(dir),
		// A registry of this run's own, as its releases would be another run's.
		"USER=" + strings.ToLower(rand.Text()),
		mirrors(t), // which has the module that nobody described
	}
	for _, page := range tutorials {
		if !t.Run(page, func(t *testing.T) { follow(t, page, home, environ) }) {
			return
		}
	}
}

// promoted is the namespace that a command takes a beamline to.
var promoted = regexp.MustCompile(`(?m)^tagline promote (\S+)`)

// follow types the commands of a page.
func follow(t *testing.T, page, home string, environ []string) {
	source, err := os.ReadFile(filepath.Join(root, "docs/tutorials", page))
	require.NoError(t, err)
	steps := commands(t, source)
	require.NotEmpty(t, steps)
	// A line before each command, and one at the end, cuts the output into pieces.
	mark := "-- " + rand.Text()
	var script strings.Builder
	script.WriteString("set -e -o pipefail\nexec 2>&1 </dev/null\n")
	for _, s := range steps {
		fmt.Fprintf(&script, "echo '%s'\n%s\n", mark, s.command)
		for _, m := range promoted.FindAllStringSubmatch(s.command, -1) {
			t.Cleanup(func() { _ = removed(t, m[1]) }) // it may not have come that far, or be gone already
		}
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
		t.Logf("%s:%d: $ %s\n%s", page, s.line, s.command, piece)
		if failed != nil && i == len(pieces)-1 {
			t.Fatalf("%s:%d: %s: %v\n%s", page, s.line, s.command, failed, piece)
		}
		assert.True(t, s.shows(piece), "%s:%d: %s\nprints:\n%sand not:\n%s", page, s.line, s.command, piece,
			strings.Join(s.want, "\n"))
	}
	require.Len(t, pieces, len(steps))
}

// shows reports whether an output is what the page shows.
func (s typed) shows(output string) bool {
	pattern := "^"
	for _, line := range s.want {
		if line == "…" {
			pattern += "(?:.*\n)*?"
			continue
		}
		pattern += strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*") + " *\n"
	}
	return regexp.MustCompile(pattern + "$").MatchString(output)
}

// commands returns what a page's console blocks type, without those by hand.
func commands(t *testing.T, source []byte) (all []typed) {
	t.Helper()
	page := goldmark.DefaultParser().Parse(markdown.NewReader(source))
	require.NoError(t, ast.Walk(page, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		block, ok := n.(*ast.FencedCodeBlock)
		if !ok || !entering || block.Info == nil || block.Lines().Len() == 0 {
			return ast.WalkContinue, nil
		}
		info := string(block.Info.Segment.Value(source))
		assert.NotContains(t, []string{"sh", "bash", "shell"}, info, "what is typed stands in a console block")
		if info != "console" {
			return ast.WalkContinue, nil
		}
		lines := block.Lines()
		first := 1 + strings.Count(string(source[:lines.At(0).Start]), "\n")
		for i := range lines.Len() {
			segment := lines.At(i)
			line := strings.TrimRight(string(segment.Value(source)), "\n")
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				all = append(all, typed{line: first + i, command: command})
				continue
			}
			require.NotEmpty(t, all, "line %d is no output of a command", first+i)
			last := &all[len(all)-1]
			if more, ok := strings.CutPrefix(line, "> "); ok && len(last.want) == 0 {
				last.command += "\n" + more
			} else {
				last.want = append(last.want, line)
			}
		}
		return ast.WalkContinue, nil
	}))
	return all
}

// TestShows: an ellipsis stands for text of a line, or for lines.
func TestShows(t *testing.T) {
	for output, want := range map[string]bool{
		"a\nb 12 c\nd\n": true, "b 1 c\n": true, "b  c\nd\ne\n": true, "": false, "b 1\n": false, "a\n": false,
	} {
		assert.Equal(t, want, typed{want: []string{"…", "b … c", "…"}}.shows(output), "%q", output)
	}
	assert.True(t, typed{}.shows(""))
	assert.False(t, typed{}.shows("a\n"), "what is not shown is not printed")
}
