// Package ci_test holds what must be so everywhere in the repository.
package ci_test

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/format"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// The sizes past which a thing must be split.
const (
	mostFileLines     = 400
	mostFunctionLines = 80
)

// module is the import path of the repository's root.
const module = "github.com/tagline-ci/tagline/"

// source is one Go file that people wrote.
type source struct {
	name string // from the repository's root
	text []byte
	file *ast.File
	fset *token.FileSet
}

// room is the folder of a file: "pipelines/image".
func (s source) room() string { return path.Dir(s.name) }

// test reports whether the file holds tests.
func (s source) test() bool { return strings.HasSuffix(s.name, "_test.go") }

// place is a place in the file as an editor reads it.
func (s source) place(p token.Pos) string {
	return fmt.Sprintf("%s:%d", s.name, s.fset.Position(p).Line)
}

// lines counts the lines from one place to another.
func (s source) lines(n ast.Node) int {
	return s.fset.Position(n.End()).Line - s.fset.Position(n.Pos()).Line + 1
}

// people reports whether a folder holds what people write for this repository.
func people(d fs.DirEntry) bool {
	switch name := d.Name(); name {
	case "..", ".ci", ".github":
		return true
	case "bin", "testdata", "vendor":
		return false
	default:
		return !strings.HasPrefix(name, ".") && !strings.HasPrefix(name, "_")
	}
}

// walk returns each file of the repository by its name from the root.
func walk(t *testing.T, each func(name string, text []byte)) {
	t.Helper()
	require.NoError(t, filepath.WalkDir("..", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && !people(d):
			return filepath.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		text, err := os.ReadFile(p)
		if err == nil {
			each(strings.TrimPrefix(filepath.ToSlash(p), "../"), text)
		}
		return err
	}))
}

// sources returns the Go files of the repository, those of leaf modules too,
// without generated ones.
func sources(t *testing.T) (all []source) {
	t.Helper()
	walk(t, func(name string, text []byte) {
		if path.Ext(name) != ".go" {
			return
		}
		fset := token.NewFileSet()
		file, err := parser.ParseFile(fset, name, text, parser.ParseComments|parser.SkipObjectResolution)
		require.NoError(t, err)
		if !ast.IsGenerated(file) {
			all = append(all, source{name, text, file, fset})
		}
	})
	require.NotEmpty(t, all)
	return all
}

// TestFileSize: a file that grew past 400 lines holds two things.
func TestFileSize(t *testing.T) {
	for _, s := range sources(t) {
		assertSize(t, s.name, s.text)
	}
	written := []string{".c", ".cpp", ".h", ".sh", ".tpl", ".md", ".yaml", ".yml", ".cmd", ".template"}
	walk(t, func(name string, text []byte) {
		if slices.Contains(written, path.Ext(name)) {
			assertSize(t, name, text)
		}
	})
}

func assertSize(t *testing.T, name string, text []byte) {
	t.Helper()
	lines := bytes.Count(text, []byte("\n"))
	assert.LessOrEqual(t, lines, mostFileLines, "%s has %d lines: split it by noun", name, lines)
}

// TestFunctionSize: a function that grew past 80 lines does two things.
func TestFunctionSize(t *testing.T) {
	for _, s := range sources(t) {
		for _, fault := range s.longFunctions() {
			t.Error(fault)
		}
	}
}

func (s source) longFunctions() (faults []string) {
	for _, d := range s.file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && s.lines(f) > mostFunctionLines {
			faults = append(faults, fmt.Sprintf(
				"%s: %s has %d lines: split it", s.place(f.Pos()), f.Name.Name, s.lines(f),
			))
		}
	}
	return faults
}

// TestFormat: every file is as gofmt writes it.
func TestFormat(t *testing.T) {
	for _, s := range sources(t) {
		want, err := format.Source(s.text)
		require.NoError(t, err)
		assert.True(t, bytes.Equal(want, s.text), "run gofmt -w %s", s.name)
	}
}

// TestDocComments: what other rooms can use says what it is.
func TestDocComments(t *testing.T) {
	packages := map[string]bool{}
	for _, s := range sources(t) {
		if s.test() {
			continue
		}
		for _, fault := range s.undocumented() {
			t.Error(fault)
		}
		packages[s.room()] = packages[s.room()] || s.file.Doc != nil
	}
	for room, documented := range packages {
		assert.True(t, documented, "%s: no file says in a package comment what the room is for", room)
	}
}

// undocumented returns the exported declarations of a file without a comment.
func (s source) undocumented() (faults []string) {
	missing := func(name *ast.Ident, docs ...*ast.CommentGroup) {
		if name.IsExported() && !slices.ContainsFunc(docs, func(c *ast.CommentGroup) bool { return c != nil }) {
			faults = append(faults, fmt.Sprintf("%s: %s has no doc comment", s.place(name.Pos()), name.Name))
		}
	}
	for _, d := range s.file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if receiver(d) == "" || ast.IsExported(receiver(d)) {
				missing(d.Name, d.Doc)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					missing(spec.Name, spec.Doc, spec.Comment, lone(d))
				case *ast.ValueSpec:
					for _, name := range spec.Names {
						missing(name, spec.Doc, spec.Comment, d.Doc)
					}
				}
			}
		}
	}
	return faults
}

// lone is the comment of a declaration that declares one thing.
func lone(d *ast.GenDecl) *ast.CommentGroup {
	if len(d.Specs) == 1 {
		return d.Doc
	}
	return nil
}

// receiver is the name of a method's type, empty for a function.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	e := f.Recv.List[0].Type
	for {
		switch t := e.(type) {
		case *ast.StarExpr:
			e = t.X
		case *ast.IndexExpr:
			e = t.X
		case *ast.Ident:
			return t.Name
		default:
			return ""
		}
	}
}

// imports returns what a file imports, by the name it uses.
func (s source) imports() map[string]string {
	all := map[string]string{}
	for _, i := range s.file.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		name := path.Base(p)
		if i.Name != nil {
			name = i.Name.Name
		}
		all[name] = p
	}
	return all
}
