package ci_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	mostColumns = 120 // a tab is four
	// mostBeside is what a line may hold beside a string that makes it too long: a
	// key or a call's name, and what closes it.
	mostBeside = 24
)

// columns is the width of a line on the screen.
func columns(line string) int { return utf8.RuneCountInString(line) + 3*strings.Count(line, "\t") }

// TestLineLength: a line is read in one look. One may be longer where it can't be
// broken: in a raw string or a field's tag, in an entry of a table that gofmt
// leaves on one line, or as one string that stays whole, to be searched for. The
// leaf modules are left out: a change there builds a stand-in anew.
func TestLineLength(t *testing.T) {
	for _, s := range sources(t) {
		if strings.HasPrefix(s.name, "ci/local/kube/") || strings.HasPrefix(s.name, "ci/local/daggerd/") {
			continue
		}
		for _, fault := range s.longLines() {
			t.Error(fault)
		}
	}
	walk(t, func(name string, text []byte) {
		if !slices.Contains([]string{".c", ".cpp", ".h", ".sh"}, path.Ext(name)) {
			return
		}
		for i, line := range strings.Split(string(text), "\n") {
			assert.LessOrEqual(t, columns(line), mostColumns, "%s:%d", name, i+1)
		}
	})
}

// TestLongLinesAreFound shows the rule lines that break it, and one that may.
func TestLongLinesAreFound(t *testing.T) {
	text := "package a\n\nvar a = f(" + strings.Repeat("x, ", 40) + "1)\n\n" +
		"var b = \"" + strings.Repeat("x", 120) + "\"\n"
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "a.go", text, parser.SkipObjectResolution)
	require.NoError(t, err)
	assert.Equal(t, []string{"a.go:3: 132 columns: break it"}, source{"a.go", []byte(text), file, fset}.longLines())
}

// longLines returns the lines of a file that are too long and can be broken.
func (s source) longLines() (faults []string) {
	whole := s.wholeLines()
	for i, line := range strings.Split(string(s.text), "\n") {
		if n := columns(line); n > mostColumns && !strings.HasPrefix(line, "//go:") && !whole[i+1] {
			faults = append(faults, fmt.Sprintf("%s:%d: %d columns: break it", s.name, i+1, n))
		}
	}
	return faults
}

// wholeLines returns the lines of a file that can't be broken, by their number.
func (s source) wholeLines() map[int]bool {
	text := strings.Split(string(s.text), "\n")
	whole := map[int]bool{}
	ast.Inspect(s.file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			switch n.Value.(type) {
			case *ast.BasicLit, *ast.BinaryExpr:
				if _, table := n.Key.(*ast.BasicLit); table {
					whole[s.fset.Position(n.Pos()).Line] = true
				}
			}
		case *ast.BasicLit:
			from, to := s.fset.Position(n.Pos()).Line, s.fset.Position(n.End()).Line
			raw := strings.HasPrefix(n.Value, "`")
			beside := columns(strings.TrimSpace(text[from-1])) - columns(n.Value)
			for line := from; line <= to && n.Kind == token.STRING; line++ {
				whole[line] = whole[line] || raw || beside <= mostBeside
			}
		}
		return true
	})
	return whole
}
