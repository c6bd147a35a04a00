package newmodule

import (
	_ "embed"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/upstream"
)

// LookScript prints what is in the folders of a module and of what it is built
// against; the module's own is the first argument.
//
//go:embed look.sh
var LookScript string

// Built is what the build of a module left in its folder.
type Built struct {
	DBDs     map[string]upstream.DBD // of dbd/, by name
	Below    map[string]upstream.DBD // of EPICS Base and of the module's needs
	Libs     map[string][]string     // by name as the linker takes it, the libraries each needs likewise
	Programs []string                // of bin/<arch>, by name
	Folders  []string                // at the top of the module's folder
	Symbols  map[string]bool         // that libraries of the module, its needs and EPICS Base export for dbds
}

// Complete adds what the build gave to what the source said. before are the
// definition files that an IOC has already, of EPICS Base and the module's needs;
// without are those, and libraries, that don't belong to it.
func (r *Recipe) Complete(b Built, before, without []string) {
	r.dbds(b, before, without)
	r.libs(b, without)
	for _, folder := range []string{"iocsh", "protocol", "protocols"} {
		if slices.Contains(b.Folders, folder) {
			r.Files = append(r.Files, Fact{folder, "a folder of the module that start-up scripts read"})
		}
	}
}

// dbds keeps the definition files that an IOC can have, that no program owns, and
// that no other of them includes; record types before their device support.
func (r *Recipe) dbds(b Built, before, without []string) {
	included := map[string]string{}
	var usable []string
	for _, name := range sortedKeys(b.DBDs) {
		d := b.DBDs[name]
		if b.program(name) || len(d.Defined)+len(d.Includes) == 0 {
			continue
		}
		if why := b.unusable(name, before, without); why != "" {
			r.without(name, why)
			continue
		}
		usable = append(usable, name)
		for _, i := range d.Includes {
			if i != name {
				included[i] = name
			}
		}
	}
	kept := slices.DeleteFunc(slices.Clone(usable), func(name string) bool { return included[name] != "" })
	kept = slices.DeleteFunc(slices.Clone(kept), func(name string) bool { return b.repeated(name, kept) })
	slices.SortStableFunc(kept, func(x, y string) int { return b.rank(x) - b.rank(y) })
	for _, name := range kept {
		if lacks := upstream.Lacks([]string{name}, append(slices.Clone(before), kept...), b.all()); len(lacks) > 0 {
			r.without(name, lackOf(lacks[0]))
			continue
		}
		r.DBDs = append(r.DBDs, Fact{name, "dbd/" + name + ": no other dbd includes it, and no program has it"})
	}
}

// unusable returns why an IOC can't have a definition file; empty where it can.
func (b Built) unusable(name string, before, without []string) string {
	if slices.Contains(without, name) {
		return "it was left out by who added the module"
	}
	files := map[string]bool{}
	b.visit(name, func(name string) { files[name] = true })
	for _, file := range sortedKeys(files) {
		for _, symbol := range b.all()[file].Symbols {
			if len(b.Symbols) > 0 && !b.Symbols[symbol] {
				return "no library has the " + symbol + " of it"
			}
		}
	}
	for _, lack := range upstream.Lacks([]string{name}, before, b.all()) {
		if lack.Include != "" {
			return lackOf(lack)
		}
	}
	return ""
}

// lackOf says what a definition file lacks.
func lackOf(lack upstream.Lack) string {
	if lack.Include != "" {
		return lack.DBD + " includes " + lack.Include + ", which neither the module nor what it needs has"
	}
	return "it has device support for the record type " + lack.RecordType +
		", which an IOC with the module does not have"
}

// all returns the definition files of the module and of what it is built against.
func (b Built) all() map[string]upstream.DBD {
	all := maps.Clone(b.Below)
	if all == nil {
		all = map[string]upstream.DBD{}
	}
	maps.Copy(all, b.DBDs)
	return all
}

// program reports whether a definition file is that of a program: it is called as
// one, or has the record types of EPICS Base in it.
func (b Built) program(name string) bool {
	if slices.Contains(b.Programs, strings.TrimSuffix(name, ".dbd")) {
		return true
	}
	d := b.DBDs[name]
	return slices.Contains(d.RecordTypes, "ai") || slices.Contains(d.Includes, "base.dbd")
}

// repeated reports whether all that a definition file defines is in another one of
// names too: makefiles make one out of several.
func (b Built) repeated(name string, names []string) bool {
	own := b.defined(name)
	return len(own) > 0 && slices.ContainsFunc(names, func(other string) bool {
		all := b.defined(other)
		if other == name || len(all) < len(own) || len(all) == len(own) && other > name {
			return false
		}
		return !slices.ContainsFunc(own, func(d string) bool { return !slices.Contains(all, d) })
	})
}

// defined returns what a definition file defines, with what it includes of the
// module's own.
func (b Built) defined(name string) (all []string) {
	b.visit(name, func(name string) {
		for _, d := range b.DBDs[name].Defined {
			if !slices.Contains(all, d) {
				all = append(all, d)
			}
		}
	})
	return all
}

// visit visits a definition file of the module, and those that it includes, once.
func (b Built) visit(name string, do func(string)) {
	seen := map[string]bool{}
	var visit func(string)
	visit = func(name string) {
		d, ok := b.DBDs[name]
		if !ok || seen[name] {
			return
		}
		seen[name] = true
		do(name)
		for _, i := range d.Includes {
			visit(i)
		}
	}
	visit(name)
}

// rank orders definition files: those that define record types come first.
func (b Built) rank(name string) int {
	if slices.ContainsFunc(b.defined(name), func(d string) bool { return strings.HasPrefix(d, "recordtype(") }) {
		return 0
	}
	return 1
}

// libs orders the libraries as the linker takes them: each before those that it
// needs.
func (r *Recipe) libs(b Built, without []string) {
	var order []string
	done := map[string]bool{}
	var visit func(string)
	visit = func(name string) {
		if _, own := b.Libs[name]; !own || done[name] {
			return
		}
		done[name] = true
		for _, need := range slices.Sorted(slices.Values(b.Libs[name])) {
			visit(need)
		}
		order = append(order, name)
	}
	for _, name := range sortedKeys(b.Libs) {
		visit(name)
	}
	for _, name := range slices.Backward(order) {
		if slices.Contains(without, name) {
			r.without(name, "it was left out by who added the module")
			continue
		}
		why := "lib/" + layout.HostArch + "/lib" + name
		own := slices.DeleteFunc(slices.Clone(b.Libs[name]), func(need string) bool {
			_, ok := b.Libs[need]
			return !ok || need == name
		})
		if len(own) > 0 {
			why += " needs " + strings.Join(own, ", ")
		}
		r.Libs = append(r.Libs, Fact{name, why})
	}
}

// ReadBuilt reads what LookScript prints: "@dbd FOLDER NAME" and a definition file's
// text; "@lib FILE" and the NEEDED lines of objdump; "@symbols" and names;
// "@program NAME"; "@folder NAME". The dbds of own are those of the module.
func ReadBuilt(text, own string) Built {
	b := Built{
		DBDs: map[string]upstream.DBD{}, Below: map[string]upstream.DBD{}, Libs: map[string][]string{},
		Symbols: map[string]bool{},
	}
	for _, part := range strings.Split("\n"+text, "\n@")[1:] {
		head, body, _ := strings.Cut(part, "\n")
		words := strings.Fields(head)
		switch {
		case len(words) == 3 && words[0] == "dbd" && words[1] == own:
			b.DBDs[words[2]] = upstream.ReadDBD(body)
		case len(words) == 3 && words[0] == "dbd":
			b.Below[words[2]] = upstream.ReadDBD(body)
		case len(words) == 2 && words[0] == "lib":
			name := linkName(words[1])
			b.Libs[name] = append(b.Libs[name], needed(body)...)
		case len(words) == 1 && words[0] == "symbols":
			for _, s := range strings.Fields(body) {
				b.Symbols[s] = true
			}
		case len(words) == 2 && words[0] == "program":
			b.Programs = append(b.Programs, words[1])
		case len(words) == 2 && words[0] == "folder":
			b.Folders = append(b.Folders, words[1])
		}
	}
	return b
}

// needed reads the NEEDED lines of objdump -p, as the linker takes the names.
func needed(text string) (names []string) {
	for line := range strings.Lines(text) {
		if words := strings.Fields(line); len(words) == 2 && words[0] == "NEEDED" {
			names = append(names, linkName(words[1]))
		}
	}
	return names
}

// linkName is a library's name as the linker's -l takes it.
func linkName(file string) string {
	name, _, _ := strings.Cut(path.Base(file), ".so")
	return strings.TrimPrefix(strings.TrimSuffix(name, ".a"), "lib")
}
