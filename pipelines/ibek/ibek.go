// Package ibek reads a catalogue of support modules as ibek-support of
// epics-containers has it, and says what of each a recipe can have.
package ibek

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// State is how much of a file of the catalogue a recipe has.
type State string

const (
	// Wholly is all of it that a build for Linux takes.
	Wholly State = "wholly"
	// Partly is all but what the module's notes say.
	Partly State = "partly"
	// Not is nothing: there is no recipe.
	Not State = "not"
	// There is nothing either, as the tree has a file of that name.
	There State = "there already"
)

// Note is what a recipe does not have of a file of the catalogue.
type Note struct {
	Line int    `json:"line"` // in the file; 0 for what is of no line
	Key  string `json:"key"`  // "tasks"; empty for what is of no key
	Text string `json:"text"` // "does …; make a patch of that"
}

// In returns the note with its place in a file of the catalogue.
func (n Note) In(file string) string {
	if n.Line > 0 {
		file = fmt.Sprintf("%s:%d", file, n.Line)
	}
	return file + ": " + strings.TrimPrefix(n.Key+" ", " ") + n.Text
}

// Module is what became of one file of the catalogue.
type Module struct {
	Name  string `json:"module"`
	File  string `json:"file"` // from the catalogue's folder: "asyn/asyn.install.yml"
	Ref   string `json:"ref"`  // the git ref that the catalogue builds: "R4-45"
	State State  `json:"converted"`
	Open  []Note `json:"notConverted,omitempty"` // what somebody has to look at
	// Files are the texts of the recipe and of its patches, by path from the tree's
	// root; nil where there is no recipe.
	Files map[string]string `json:"-"`
}

// entry is one file of the catalogue as it was read.
type entry struct {
	file string
	installFile
	doc    *strictyaml.Doc
	faults []Note // of what can't be read
}

// Read reads every <module>/<module>.install.yml of a catalogue, by path. schema is the
// URL of the schema of a recipe's file, for editors; it may be empty. What can't be read
// is a Module too; the error is of a folder that is no catalogue.
func Read(catalogue fs.FS, schema string) ([]Module, error) {
	files, err := fs.Glob(catalogue, "*/*.install.yml")
	if err == nil && len(files) == 0 {
		err = &diag.Error{
			Kind: diag.Invalid, Doing: "reading the catalogue",
			Err: errors.New("it has no <module>/<module>.install.yml"),
			Fix: "name the folder of a catalogue, as a clone of ibek-support has it",
		}
	}
	if err != nil {
		return nil, err
	}
	var entries []*entry
	for _, file := range files {
		entries = append(entries, readEntry(catalogue, file))
	}
	var all []Module
	for i, e := range entries {
		m := e.convert(catalogue, entries, schema)
		if slices.ContainsFunc(entries[:i], func(o *entry) bool { return o.Module == e.Module }) {
			m = m.refused(Note{Line: e.line("module"), Key: "module", Text: "another file describes " + e.Module})
		}
		all = append(all, m)
	}
	return all, nil
}

// readEntry reads one file of a catalogue.
func readEntry(catalogue fs.FS, file string) *entry {
	e := &entry{file: file}
	// What the module is called where the file does not say.
	e.Module = strings.TrimSuffix(path.Base(file), ".install.yml")
	text, err := fs.ReadFile(catalogue, file)
	if err != nil {
		e.faults = append(e.faults, Note{Text: "it can't be read: " + err.Error()})
		return e
	}
	f, doc, err := schema().Read(file, text)
	for _, fault := range diag.All(err) {
		e.faults = append(e.faults, note(fault))
	}
	if doc == nil {
		return e
	}
	name := e.Module
	if e.installFile, e.doc = *f, doc; e.Module == "" {
		e.Module = name
	}
	return e
}

// note returns a fault of a file as a note.
func note(fault error) Note {
	var e *diag.Error
	if errors.As(fault, &e) {
		return Note{Line: e.Line, Text: e.Err.Error()}
	}
	return Note{Text: fault.Error()}
}

// line returns the line of what stands at a path of the file.
func (e *entry) line(at ...any) int {
	if e.doc == nil {
		return 0
	}
	return e.doc.Line(at...)
}

// convert returns what a recipe has of an entry, and what it does not have.
func (e *entry) convert(catalogue fs.FS, entries []*entry, schema string) Module {
	m := Module{Name: e.Module, File: e.file, Ref: e.Version, State: Wholly, Open: e.faults}
	if e.doc == nil || e.Version == "" || !e.doc.Good("module") {
		return m.refused()
	}
	if !recipe.IsModuleName(e.Module) {
		return m.refused(Note{
			Line: e.line("module"), Key: "module",
			Text: fmt.Sprintf("%q can't be its name: only letters, digits, - and _, at most 63", e.Module),
		})
	}
	c := newConversion(catalogue, e, entries)
	m.Files, m.Open = c.patches, append(m.Open, c.open...)
	slices.SortStableFunc(m.Open, func(a, b Note) int { return a.Line - b.Line })
	for _, n := range m.Open {
		c.todo(n)
	}
	c.questions()
	text := c.recipe.Text(schema)
	if _, err := recipefile.ReadModule(m.Name, []byte(text)); err != nil {
		var notes []Note
		for _, fault := range diag.All(err) {
			n := note(fault)
			n.Line = 0 // which is one of the recipe
			notes = append(notes, n)
		}
		return m.refused(notes...)
	}
	m.Files[recipe.ModulePath(m.Name)] = text
	if len(m.Open) > 0 {
		m.State = Partly
	}
	return m
}

// refused returns the module without a recipe, and why.
func (m Module) refused(why ...Note) Module {
	m.State, m.Files = Not, nil
	m.Open = append(why, m.Open...)
	return m
}

// Kept returns the module as it is beside what a tree has: without files where one of
// them is there.
func (m Module) Kept(tree fs.FS) Module {
	for _, name := range slices.Sorted(maps.Keys(m.Files)) {
		if _, err := fs.Stat(tree, name); err == nil {
			m.State, m.Files = There, nil
			m.Open = []Note{{Text: name + " is there, and nothing is overwritten"}}
			return m
		}
	}
	return m
}
