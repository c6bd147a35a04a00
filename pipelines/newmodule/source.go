package newmodule

import (
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/config"

	"github.com/tagline-ci/tagline/pipelines/upstream"
)

// Reads are the files of a source that Describe reads, as patterns.
var Reads = []string{
	"**/*akefile", "configure/RELEASE", "configure/CONFIG_SITE", ".gitmodules", ".ci-local/*.set",
	".github/workflows/*", "LICENSE*", "LICENCE*", "COPYING*",
}

// read returns the text of a file, empty where there is none.
func read(src fs.FS, name string) string {
	text, err := fs.ReadFile(src, name)
	if err != nil {
		return ""
	}
	return string(text)
}

// sortedKeys returns a map's keys, sorted.
func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// readMakefiles reads the makefiles of a module by path, without those of
// configure/, of tests, examples and IOCs.
func readMakefiles(src fs.FS) map[string]upstream.Makefile {
	all := map[string]upstream.Makefile{}
	_ = fs.WalkDir(src, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // what can't be read says nothing
		}
		if d.IsDir() && (leftOut.MatchString(d.Name()) || p == "configure") {
			return fs.SkipDir
		}
		if !d.IsDir() && strings.HasSuffix(d.Name(), "akefile") {
			all[p] = upstream.ReadMakefile(read(src, p))
		}
		return nil
	})
	return all
}

// leftOut are folders that don't belong to what a module gives an IOC.
var leftOut = regexp.MustCompile(`(?i)^(\.git|\.ci.*|test.*|.*tests?|examples?|iocs?|iocBoot|docs?|documentation)$`)

// submodules finds the git submodules that the makefiles name. Of those that a
// wildcard takes where they are checked out only a person knows which are wanted.
func (f *finder) submodules() {
	all := config.NewModules()
	if err := all.Unmarshal([]byte(read(f.src, ".gitmodules"))); err != nil || f.given.Submodules != nil {
		return
	}
	var optional []string
	for _, name := range sortedKeys(all.Submodules) {
		p := all.Submodules[name].Path
		if p == "" || strings.HasPrefix(p, ".") { // .ci and its like
			continue
		}
		if why := f.named(p); why != "" {
			f.Submodules = append(f.Submodules, Fact{p, why})
		} else {
			optional = append(optional, p)
		}
	}
	if len(optional) > 0 {
		answer := f.ask(Question{
			"submodules", "which of " + strings.Join(optional, ", ") + " are wanted?", "none of them is taken",
		})
		f.Submodules = append(f.Submodules, facts(strings.Fields(strings.ReplaceAll(answer, ",", " ")))...)
	}
}

// named returns where a makefile names a folder as a path; empty where none does.
func (f *finder) named(folder string) string {
	for _, file := range sortedKeys(f.makefiles) {
		rest := strings.TrimPrefix(folder, strings.TrimPrefix(path.Dir(file)+"/", "./"))
		for _, a := range f.makefiles[file].Assignments {
			if a.Comment || a.Name == "SUBMODULES" || strings.Contains(a.Value, "wildcard") {
				continue
			}
			for _, word := range strings.Fields(a.Value) {
				plain := strings.TrimPrefix(strings.TrimPrefix(word, "$(TOP)/"), "../")
				if within(plain, rest) || within(plain, folder) {
					return fmt.Sprintf("%s:%d: %s %s %s", file, a.Line, a.Name, a.Op, a.Value)
				}
			}
		}
	}
	return ""
}

// within reports whether a path is a folder, or below it.
func within(p, folder string) bool { return p == folder || strings.HasPrefix(p, folder+"/") }

var (
	aptLine   = regexp.MustCompile(`(?:\bAPT: *|\bapt(?:-get)? (?:-\S+ (?:\S+=\S+ )?)*install )(.+)`)
	aptIsWord = regexp.MustCompile(`^lib[a-z0-9+.-]+-dev$`)
)

// packages finds the Debian packages with libraries that the module's own workflows
// install, in one line or in several that end with a backslash.
func (f *finder) packages() {
	workflows, _ := fs.Glob(f.src, ".github/workflows/*.y*ml")
	for _, file := range workflows {
		goesOn := false
		for i, line := range strings.Split(read(f.src, file), "\n") {
			if line = strings.TrimSpace(line); strings.HasPrefix(line, "#") {
				continue
			}
			if !goesOn {
				m := aptLine.FindStringSubmatch(line)
				if m == nil {
					continue
				}
				line = m[1]
			}
			goesOn = strings.HasSuffix(line, `\`)
			for _, word := range strings.FieldsFunc(line, betweenPackages) {
				word, _, _ = strings.Cut(word, "=") // its version
				found := Fact{word, fmt.Sprintf("%s:%d installs it", file, i+1)}
				// readline is EPICS Base's.
				if aptIsWord.MatchString(word) && word != "libreadline-dev" &&
					!slices.ContainsFunc(f.Packages, found.same) && !slices.Contains(f.given.Without, word) {
					f.Packages = append(f.Packages, found)
				}
			}
		}
	}
}

// betweenPackages reports whether a letter stands between the names of packages.
func betweenPackages(r rune) bool { return strings.ContainsRune(" \t\"',;", r) }

// licences are what licence files have in them, by SPDX identifier.
var licences = []struct{ text, spdx string }{
	{"EPICS Open License", "EPICS"},
	{`Each licensee is addressed as "you" or "Licensee."`, "EPICS"},
	{"Apache License", "Apache-2.0"},
	{"Permission is hereby granted, free of charge", "MIT"},
	{"GNU LESSER GENERAL PUBLIC LICENSE", "LGPL"},
	{"GNU GENERAL PUBLIC LICENSE", "GPL"},
}

// licence finds the module's licence in its licence file. Which version of the GNU
// licences holds, their text does not say.
func (f *finder) licence() {
	if f.Licence.Value != "" {
		return
	}
	spdx, file, text := f.licenceText()
	ask := Question{"licence", "which one is it, as an SPDX expression?", "it is left out"}
	switch {
	case spdx == "":
		ask.Text = "no file of the source says it in words known here; " + ask.Text
	case strings.HasSuffix(spdx, "GPL"):
		ask.Text = file + " has the text of the " + spdx + "; which version, and \"or later\"?"
	default:
		f.Licence = Fact{spdx, file + " says: " + text}
		return
	}
	f.Licence = Fact{f.ask(ask), said}
}

// licenceFiles are the files that may have it: the text of the lesser GNU licence comes
// with that of the other, and goes before it.
var licenceFiles = []string{
	"LICENSE.LESSER", "COPYING.LESSER", "COPYING.LIB", "LICENSE", "LICENSE.txt", "LICENSE.md", "LICENSE.rst",
	"LICENCE", "LICENCE.txt", "LICENCE.md", "COPYING", "COPYING.txt", "COPYING.md",
}

// licenceText returns the licence whose words a file of the source has.
func (f *finder) licenceText() (spdx, file, text string) {
	for _, file := range licenceFiles {
		content := strings.Join(strings.Fields(read(f.src, file)), " ")
		for _, l := range licences {
			if strings.Contains(content, l.text) {
				return l.spdx, file, l.text
			}
		}
	}
	return "", "", ""
}

// common are the variables that every module's configure/CONFIG_SITE has.
var common = []string{
	"CHECK_RELEASE", "CROSS_COMPILER_TARGET_ARCHS", "INSTALL_LOCATION", "INSTALL_LOCATION_APP", "IOCS_APPL_TOP",
	"HOST_OPT", "CROSS_OPT", "SHARED_LIBRARIES", "STATIC_BUILD", "BUILD_IOCS",
}

// switches notes the variables with which a site configures the module.
func (f *finder) switches() {
	for _, a := range upstream.ReadMakefile(read(f.src, "configure/CONFIG_SITE")).Assignments {
		if !slices.Contains(common, a.Name) && !slices.Contains(f.Switches, a.Name) {
			f.Switches = append(f.Switches, a.Name)
		}
	}
}
