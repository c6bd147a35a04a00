package ci_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// noFix are the functions whose errors may come without a fix, with the reason.
var noFix = map[string]string{
	"pipelines/diag.Add":        "an error of another type does not say what to do",
	"pipelines/gate.approvals":  "the reason that follows says how to have it approved",
	"pipelines/release.verdict": "a test's fault is a whole sentence, with what to do",
}

// TestErrorsSayWhatToDo: an error of people's type says what to do now. One that
// can't is in noFix, with the reason; one there that says it after all is not.
func TestErrorsSayWhatToDo(t *testing.T) {
	all := slices.DeleteFunc(sources(t), source.test)
	helpers, excused := fixParameters(all), map[string]bool{}
	for _, s := range all {
		for _, fault := range s.withoutFix(helpers) {
			if _, ok := noFix[fault.where]; !ok {
				t.Errorf("%s: an error in %s has no fix", fault.place, fault.where)
			}
			excused[fault.where] = true
		}
	}
	assert.ElementsMatch(t, slices.Collect(maps.Keys(noFix)), slices.Collect(maps.Keys(excused)))
}

// TestErrorsWithoutFixAreFound shows the rule each way to leave the fix out.
func TestErrorsWithoutFixAreFound(t *testing.T) {
	fset := token.NewFileSet()
	text := `package a
import "github.com/tagline-ci/tagline/pipelines/diag"
func refuse(why, fix string) error { return &diag.Error{Fix: fix} }
func (b) said() error { return &diag.Error{Fix: "tag it"} }
func bare() error { return &diag.Error{Doing: "x"} }
func empty() error { return diag.Error{Fix: ""} }
func helped() error { return refuse("x", "") }
func abroad() error { return diag.Invalidf("f", 1, "", "x") }
func inner() { no := func(fix string) error { return nil }; no("") }
func (b) method() error { return refuse("x", "tag it") }
`
	file, err := parser.ParseFile(fset, "a/a.go", text, parser.SkipObjectResolution)
	require.NoError(t, err)
	s := source{"a/a.go", []byte(text), file, fset}
	helpers := fixParameters([]source{s})
	helpers["pipelines/diag.Invalidf"] = 2
	var found []string
	for _, fault := range s.withoutFix(helpers) {
		found = append(found, fault.where)
	}
	assert.Equal(t, []string{"a.bare", "a.empty", "a.helped", "a.abroad", "a.inner"}, found)
}

// lacking is an error without a fix: the place, and the function, as "pipelines/image.fault".
type lacking struct{ place, where string }

// fixParameters returns at which place a function takes the fix of the error that
// it makes, by its room and name: each that has a parameter of that name. A
// function in a variable counts as one of its room.
func fixParameters(all []source) map[string]int {
	found := map[string]int{}
	for _, s := range all {
		ast.Inspect(s.file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				s.addFixParameter(found, n.Name.Name, n.Type)
			case *ast.AssignStmt:
				for i, value := range n.Rhs {
					name, named := n.Lhs[min(i, len(n.Lhs)-1)].(*ast.Ident)
					if f, ok := value.(*ast.FuncLit); ok && named {
						s.addFixParameter(found, name.Name, f.Type)
					}
				}
			}
			return true
		})
	}
	return found
}

// addFixParameter adds the function name when it takes a fix.
func (s source) addFixParameter(found map[string]int, name string, f *ast.FuncType) {
	place := 0
	for _, field := range f.Params.List {
		for _, parameter := range field.Names {
			if parameter.Name == "fix" {
				found[s.room()+"."+name] = place
			}
			place++
		}
	}
}

// withoutFix returns where a file makes errors that say nothing to do.
func (s source) withoutFix(helpers map[string]int) (faults []lacking) {
	imports := s.imports()
	for _, d := range s.file.Decls {
		where := s.room() + "."
		if f, ok := d.(*ast.FuncDecl); ok {
			where += f.Name.Name
		}
		ast.Inspect(d, func(n ast.Node) bool {
			if s.lacksFix(n, imports, helpers) {
				faults = append(faults, lacking{s.place(n.Pos()), where})
			}
			return true
		})
	}
	return faults
}

// lacksFix reports whether n is an error without a fix, or a call that makes one.
func (s source) lacksFix(n ast.Node, imports map[string]string, helpers map[string]int) bool {
	switch n := n.(type) {
	case *ast.CompositeLit:
		if s.qualified(n.Type, imports) != "pipelines/diag.Error" {
			return false
		}
		return !slices.ContainsFunc(n.Elts, func(e ast.Expr) bool {
			field, ok := e.(*ast.KeyValueExpr)
			return ok && fmt.Sprint(field.Key) == "Fix" && !empty(field.Value)
		})
	case *ast.CallExpr:
		place, ok := helpers[s.qualified(n.Fun, imports)]
		return ok && place < len(n.Args) && empty(n.Args[place])
	}
	return false
}

// qualified returns the room and name that an expression stands for. A method is
// taken for one of the file's own room.
func (s source) qualified(e ast.Expr, imports map[string]string) string {
	switch e := e.(type) {
	case *ast.Ident:
		return s.room() + "." + e.Name
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok && imports[x.Name] != "" {
			return strings.TrimPrefix(imports[x.Name], module) + "." + e.Sel.Name
		}
		return s.room() + "." + e.Sel.Name
	}
	return ""
}

// empty reports whether an expression is an empty string.
func empty(e ast.Expr) bool {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return false
	}
	text, err := strconv.Unquote(l.Value)
	return err == nil && text == ""
}
