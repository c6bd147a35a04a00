package ibek

import (
	"cmp"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/newmodule"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// conversion is an entry on its way to a recipe.
type conversion struct {
	*entry
	recipe    newmodule.Recipe
	catalogue fs.FS
	open      []Note
	patches   map[string]string // by path from the tree's root
}

// newConversion takes from an entry what a recipe can have. entries are all of the
// catalogue, which say what else has a library or a dbd.
func newConversion(catalogue fs.FS, e *entry, entries []*entry) *conversion {
	c := &conversion{entry: e, catalogue: catalogue, patches: map[string]string{}}
	c.recipe = newmodule.Recipe{
		Name: e.Module, Git: e.git(), Ref: e.Version,
		By: fmt.Sprintf("tagline module import from %s at %s", e.file, e.Version),
	}
	c.recipe.Macro = newmodule.Fact{Value: e.Macro, Why: c.at(e.line("macro"))}
	if e.Macro == "" {
		c.recipe.Macro = newmodule.Fact{
			Value: strings.ToUpper(strings.ReplaceAll(e.Module, "-", "_")), Why: "from the module's name",
		}
	}
	c.gives(entries)
	c.packages()
	c.files()
	c.configured()
	c.patched(entries)
	c.byItself()
	c.byHand()
	return c
}

// git returns the URL of a module's source. GitHub leads from HTTP to HTTPS, where
// nobody on the way can change what is fetched.
func (e *entry) git() string {
	organization := cmp.Or(e.Organization, "https://github.com/epics-modules")
	url := cmp.Or(e.GitRepo, strings.TrimRight(organization, "/")+"/"+e.Module)
	if rest, ok := strings.CutPrefix(url, "http://github.com/"); ok {
		return "https://github.com/" + rest
	}
	return url
}

// at returns where in the catalogue a line stands.
func (c *conversion) at(line int) string { return fmt.Sprintf("%s:%d", c.file, line) }

// add adds a value of a line to a list of the recipe, once. It is empty where it was no
// text, which was noted.
func (c *conversion) add(list *[]newmodule.Fact, value string, line int) {
	if value != "" && !slices.ContainsFunc(*list, func(f newmodule.Fact) bool { return f.Value == value }) {
		*list = append(*list, newmodule.Fact{Value: value, Why: c.at(line)})
	}
}

// notes notes what somebody has to do by hand.
func (c *conversion) notes(key string, line int, format string, args ...any) {
	c.open = append(c.open, Note{Line: line, Key: key, Text: fmt.Sprintf(format, args...)})
}

// leaves notes what is not taken and is not missed.
func (c *conversion) leaves(key string, line int, why string) {
	c.recipe.Without = append(c.recipe.Without, newmodule.Fact{
		Value: key, Why: fmt.Sprintf("%s:%d: %s", c.file, line, why),
	})
}

// todo leaves a note in the recipe's file.
func (c *conversion) todo(n Note) {
	of := c.file
	if n.Line > 0 {
		of = c.at(n.Line)
	}
	c.recipe.Open = append(c.recipe.Open, newmodule.Question{
		Of: of, Text: strings.TrimPrefix(n.Key+" ", " ") + n.Text + ".", Else: "it is left out",
	})
}

// questions are those that no catalogue of this form answers.
func (c *conversion) questions() {
	with := "EPICS Base"
	for _, need := range c.recipe.Needs {
		with = need.Value + " and " + with
	}
	c.recipe.Open = append(c.recipe.Open,
		newmodule.Question{
			Of: "needs", Text: "a catalogue does not say which modules it is built against; which ones?",
			Else: "it is built with " + with + " alone",
		},
		newmodule.Question{
			Of: "licence", Text: "a catalogue does not say; which one is it, as an SPDX expression?",
			Else: "it is left out",
		})
}

// gives takes the definition files and libraries. What another module of the catalogue
// gives is that module's, and this one needs it.
func (c *conversion) gives(entries []*entry) {
	for _, list := range []struct {
		key    string
		values []string
		to     *[]newmodule.Fact
		of     func(*entry) []string
	}{
		{"dbds", c.DBDs, &c.recipe.DBDs, func(e *entry) []string { return e.DBDs }},
		{"libs", c.Libs, &c.recipe.Libs, func(e *entry) []string { return e.Libs }},
	} {
		for i, value := range list.values {
			switch owner := c.owner(value, entries, list.of); owner {
			case c.Module:
				c.add(list.to, value, c.line(list.key, i))
			default:
				c.add(&c.recipe.Needs, owner, c.line(list.key, i))
			}
		}
	}
}

// owner returns the module that a name is of: of those that list it the one whose own
// name it begins with, as motorRecord.dbd is of motor and not of motorNewport.
func (c *conversion) owner(value string, entries []*entry, of func(*entry) []string) string {
	begins := func(name string) bool {
		return len(value) >= len(name) && strings.EqualFold(value[:len(name)], name)
	}
	owner := c.Module
	for _, e := range entries {
		if slices.Contains(of(e), value) && begins(e.Module) && (!begins(owner) || len(e.Module) > len(owner)) {
			owner = e.Module
		}
	}
	return owner
}

// debianPackage is what a package of Debian may be called.
var debianPackage = regexp.MustCompile(`^[a-z0-9][a-z0-9+.-]+$`)

// packages takes the packages of the build; those that an IOC loads are found.
func (c *conversion) packages() {
	for i, name := range c.AptDeveloper {
		if debianPackage.MatchString(name) {
			c.add(&c.recipe.Packages, name, c.line("apt_developer", i))
		} else {
			c.notes("apt_developer", c.line("apt_developer", i),
				"installs %s, which is no name of a Debian package; name a package that has it", name)
		}
	}
	for i, name := range c.AptRuntime {
		line := c.line("apt_runtime", i)
		if strings.HasPrefix(name, "lib") {
			c.leaves(name, line, "what an IOC loads is found by itself")
		} else {
			c.notes("apt_runtime", line,
				"installs %s beside the IOC; name it in packages.run of an image that needs it", name)
		}
	}
	for i, d := range c.Downloads {
		c.notes("download_extras", c.line("download_extras", i),
			"fetches %s; name a package of Debian that has it", d.URL)
	}
}

// files takes what an IOC reads when it runs.
func (c *conversion) files() {
	for i, file := range c.Protocols {
		c.add(&c.recipe.Files, file, c.line("protocol_files", i))
	}
	for i, file := range c.RuntimeFiles {
		if below, ok := strings.CutPrefix(file, layout.Module(c.Module)+"/"); ok {
			c.add(&c.recipe.Files, below, c.line("runtime_files", i))
			continue
		}
		c.notes("runtime_files", c.line("runtime_files", i),
			"takes %s along, which is not below the module's folder; have its build install it there", file)
	}
	requests, _ := fs.Glob(c.catalogue, path.Dir(c.file)+"/*.req")
	if len(requests) > 0 {
		c.notes("", 0, "has autosave request files beside it, %d, as %s; put those that an instance reads beside "+
			"its st.cmd", len(requests), path.Base(requests[0]))
	}
}

// patchName returns what the file of a patch is called beside the recipes: as in the
// catalogue, with the module's name before it where two modules call one so.
func (c *conversion) patchName(entries []*entry) string {
	name := path.Base(c.PatchFile.Path)
	if slices.ContainsFunc(entries, func(e *entry) bool {
		return e.file != c.file && e.PatchFile != nil && path.Base(e.PatchFile.Path) == name
	}) {
		return c.Module + "-" + name
	}
	return name
}

// patched takes a patch, with its file.
func (c *conversion) patched(entries []*entry) {
	p := c.PatchFile
	if p == nil || p.When == nil { // which is no, for a patch
		return
	}
	line := c.line("patch_file")
	switch p.made() {
	case never:
	case onRTEMS:
		c.leaves("patch_file", line, forRTEMS)
	case unclear:
		c.notes("patch_file", line, "applies %s when %v; decide whether that holds", p.Path, p.When)
	default:
		text, err := fs.ReadFile(c.catalogue, path.Join(path.Dir(c.file), p.Path))
		switch {
		case err != nil:
			c.notes("patch_file", line, "applies %s, which can't be read", p.Path)
		case p.Commit != "":
			c.notes("patch_file", line, "applies %s to the commit %s; build that, or make the patch anew",
				p.Path, p.Commit)
		default:
			name := c.patchName(entries)
			c.add(&c.recipe.Patches, name, line)
			c.patches[recipe.PatchPath(name)] = string(text)
		}
	}
}
