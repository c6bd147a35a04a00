// Package newmodule holds the recipe of a support module that nobody described yet:
// what its source says, what its build gave, and what only a person knows, each line
// with its evidence.
package newmodule

import (
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/upstream"
)

// Fact is a value of a recipe and where it comes from.
type Fact struct {
	Value string // "libtirpc-dev"
	Why   string // ".github/workflows/build.yml:12 installs it"
}

// Question is what neither the source nor the build of a module says.
type Question struct {
	Of   string // the key of the recipe that the answer is for: "licence"
	Text string // "which of these submodules are wanted?"
	Else string // what is done without an answer: "none is taken"
}

// Recipe is the recipe of a support module with its evidence.
type Recipe struct {
	Name       string // the file's, without .yaml
	By         string // what wrote it, and from what: "tagline module add from R6-0"
	Git        string
	Ref        string
	Submodules []Fact
	Patches    []Fact
	Macro      Fact
	Needs      []Fact
	Packages   []Fact
	Config     []Fact
	Skip       []Fact
	Licence    Fact // empty where nothing says it
	DBDs       []Fact
	Libs       []Fact
	Files      []Fact
	// Without are modules, dbds and libraries that were found and that it does not
	// have, with the reason.
	Without []Fact
	// Switches are the variables that its configure/CONFIG_SITE sets, in comments too.
	Switches []string
	Open     []Question // that nobody has answered
	Proof    string     // what was seen of a probe IOC; empty before one ran
}

// Given is what a person says of a module. It goes before what is found.
type Given struct {
	Name       string // empty: the last part of the URL
	Macro      string
	Licence    string
	Submodules []string
	Needs      []string
	Packages   []string
	Config     []string
	Skip       []string
	Without    []string // modules, dbds and libraries that are found and don't belong to it
	// Ask asks a person. An empty answer leaves the question open. It is nil where
	// there is nobody to ask.
	Ask func(Question) (string, error)
}

// said is the evidence of what a person said.
const said = "said by who added it"

// finder is a recipe while its source is read.
type finder struct {
	*Recipe
	src       fs.FS
	given     Given
	known     map[string]*recipe.Module
	release   upstream.Makefile            // its configure/RELEASE
	makefiles map[string]upstream.Makefile // others, by path
	err       error                        // of the first question that could not be asked
}

// Describe returns what the source of a module says of it. known are the support
// modules that it can be built with, by name.
func Describe(
	src fs.FS, url, ref string, given Given, known map[string]*recipe.Module,
) (*Recipe, error) {
	f := &finder{
		Recipe: Said(url, ref, given), src: src, given: given, known: known,
		release: upstream.ReadMakefile(read(src, "configure/RELEASE")), makefiles: readMakefiles(src),
	}
	f.macro()
	f.needs()
	f.submodules()
	f.packages()
	f.licence()
	f.switches()
	return f.Recipe, f.err
}

// Said returns the recipe as far as a person says it.
func Said(url, ref string, given Given) *Recipe {
	r := &Recipe{
		Name: Name(url, given.Name), By: "tagline module add from " + ref, Git: url, Ref: ref,
		Submodules: facts(given.Submodules), Needs: facts(given.Needs), Packages: facts(given.Packages),
		Config: facts(given.Config), Skip: facts(given.Skip),
	}
	if given.Macro != "" {
		r.Macro = Fact{given.Macro, said}
	}
	if given.Licence != "" {
		r.Licence = Fact{given.Licence, said}
	}
	return r
}

// Name returns what a module of a git repository is called, where nobody says it.
func Name(url, given string) string {
	if given != "" {
		return given
	}
	return strings.TrimSuffix(path.Base(url), ".git")
}

// facts returns what a person said as facts.
func facts(values []string) (all []Fact) {
	for _, v := range values {
		all = append(all, Fact{v, said})
	}
	return all
}

// ask returns the answer to a question. Without one it is empty, and the question
// stays open.
func (f *finder) ask(q Question) string {
	answer := ""
	if f.given.Ask != nil && f.err == nil {
		answer, f.err = f.given.Ask(q)
	}
	if answer == "" {
		f.Open = append(f.Open, q)
	}
	return answer
}

// notOfMacro is what no variable of a makefile has in its name.
var notOfMacro = regexp.MustCompile(`[^A-Z0-9_]+`)

// macro finds what other modules call this one.
func (f *finder) macro() {
	guess := notOfMacro.ReplaceAllString(strings.ToUpper(f.Name), "_")
	if guess != "" && guess[0] >= '0' && guess[0] <= '9' {
		guess = "_" + guess
	}
	// A module that names itself does so for its own examples, at any path.
	own := slices.ContainsFunc(f.release.Neighbours(), func(n upstream.Neighbour) bool { return n.Macro == guess })
	switch self := f.release.Self(); {
	case f.Macro.Value != "":
	case self != "":
		f.Macro = Fact{self, "configure/RELEASE sets it to the module's own folder"}
	case own:
		f.Macro = Fact{guess, "configure/RELEASE has it, and it is the module's name"}
	default:
		answer := f.ask(Question{
			"macro", "what do other modules call it in their configure/RELEASE?", guess + " is taken",
		})
		if f.Macro = (Fact{answer, said}); answer == "" {
			f.Macro = Fact{guess, "from the module's name"}
		}
	}
}
