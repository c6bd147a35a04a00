package newmodule

import (
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/upstream"
)

// needs finds the modules that this one is built against, of those that are known:
// those that its configure/RELEASE names, and those whose macro or library its
// makefiles use whatever is configured. Where neither names one, as configure/RELEASE
// reads that of a folder above, those of its own continuous integration count.
func (f *finder) needs() {
	f.Needs = nil // one that is said twice, or is EPICS Base, counts once or not
	for _, name := range f.given.Needs {
		f.need(name, said)
	}
	for _, n := range f.release.Neighbours() {
		why := fmt.Sprintf("configure/RELEASE:%d names %s", n.Line, n.Macro)
		switch name := f.withMacro(n.Macro); {
		case n.Macro == f.Macro.Value:
		case name == "" && !n.Commented:
			f.without(n.Macro, why+", and no recipe has that macro")
		case name == "":
		case n.Commented:
			f.without(name, why+" in a comment; build it with --need "+name)
		default:
			f.need(name, why)
		}
	}
	for _, file := range sortedKeys(f.makefiles) {
		f.usedIn(file)
	}
	silent := len(f.release.Neighbours())+len(f.Needs) == 0
	for _, tested := range testedWith(f.src) {
		macro := strings.ToUpper(tested.Value)
		switch name := f.withMacro(macro); {
		case macro == f.Macro.Value, f.has(macro):
		case name != "" && silent:
			f.need(name, tested.Why)
		case name != "" && !f.has(name):
			f.without(name, tested.Why+"; build it with --need "+name)
		case name == "" && silent:
			f.without(macro, tested.Why+", and no recipe has that macro")
		}
	}
}

// need notes a module that this one is built against.
func (f *finder) need(name, why string) {
	switch {
	case name == f.Name, name == recipe.Base, slices.ContainsFunc(f.Needs, Fact{Value: name}.same):
	case slices.Contains(f.given.Without, name):
		f.without(name, "it was left out by who added the module; "+why)
	default:
		f.Needs = append(f.Needs, Fact{name, why})
		f.Without = slices.DeleteFunc(f.Without, Fact{Value: name}.same)
	}
}

// without notes what is not taken, once.
func (r *Recipe) without(value, why string) {
	if !r.has(value) {
		r.Without = append(r.Without, Fact{value, why})
	}
}

// has reports whether a module is a need, or was left out already.
func (r *Recipe) has(value string) bool {
	same := Fact{Value: value}.same
	return slices.ContainsFunc(r.Needs, same) || slices.ContainsFunc(r.Without, same)
}

// same reports whether another fact is of the same value.
func (f Fact) same(other Fact) bool { return f.Value == other.Value }

// usedIn notes the modules that a makefile uses under no condition.
func (f *finder) usedIn(file string) {
	for _, a := range f.makefiles[file].Assignments {
		for _, name := range f.usedBy(a) {
			f.need(name, fmt.Sprintf("%s:%d: %s %s %s", file, a.Line, a.Name, a.Op, a.Value))
		}
	}
	for _, i := range f.makefiles[file].Includes {
		if !i.Must {
			continue
		}
		for _, name := range f.macrosIn(i.Path) {
			f.need(name, fmt.Sprintf("%s:%d includes %s", file, i.Line, i.Path))
		}
	}
}

// usedBy returns the modules whose libraries or folders an assignment uses. What it
// takes of the system is no module's, though one may bring a library of that name.
func (f *finder) usedBy(a upstream.Assignment) (names []string) {
	if a.Comment || len(a.Within) > 0 {
		return nil
	}
	if strings.HasSuffix(a.Name, "_LIBS") && !strings.HasSuffix(a.Name, "SYS_LIBS") {
		for _, word := range strings.Fields(a.Value) {
			if name := f.withLibrary(word); name != "" {
				names = append(names, name)
			}
		}
	}
	return append(names, f.macrosIn(a.Value)...)
}

// withLibrary returns the module that gives a library, the first by name; empty where
// none but EPICS Base does.
func (f *finder) withLibrary(library string) string {
	for _, name := range sortedKeys(f.known) {
		if name != recipe.Base && slices.Contains(f.known[name].Libs, library) {
			return name
		}
	}
	return ""
}

var makeVariable = regexp.MustCompile(`\$[({]([A-Za-z_][A-Za-z0-9_]*)[)}]`)

// macrosIn returns the modules whose macros a makefile's text uses.
func (f *finder) macrosIn(text string) (names []string) {
	for _, m := range makeVariable.FindAllStringSubmatch(text, -1) {
		if name := f.withMacro(m[1]); name != "" && name != recipe.Base {
			names = append(names, name)
		}
	}
	return names
}

// withMacro returns the module that others know by a macro; empty where no recipe
// has it.
func (f *finder) withMacro(macro string) string {
	for _, name := range sortedKeys(f.known) {
		if f.known[name].Macro == macro {
			return name
		}
	}
	return ""
}

// testedWith returns the modules that a module's own continuous integration builds it
// with, by the names that https://github.com/epics-base/ci-scripts gives them.
func testedWith(src fs.FS) (all []Fact) {
	for _, pattern := range []string{".ci-local/*.set", ".github/workflows/*.set"} {
		files, _ := fs.Glob(src, pattern)
		for _, file := range files {
			for _, a := range upstream.ReadMakefile(read(src, file)).Assignments {
				if a.Comment || a.Name != "MODULES" && a.Name != "ADD_MODULES" {
					continue
				}
				for _, word := range strings.Fields(strings.Trim(a.Value, `"'`)) {
					all = append(all, Fact{word, fmt.Sprintf("%s:%d builds it with %s", file, a.Line, word)})
				}
			}
		}
	}
	return all
}
