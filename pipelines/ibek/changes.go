package ibek

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/layout"
)

// forRTEMS is why a change is left out.
const forRTEMS = "it is made in builds for RTEMS alone"

var (
	// siteFile is a file of a module's configure/ that Tagline writes, or the variable
	// with which the catalogue names one.
	siteFile = regexp.MustCompile(`^(\{\{ *config_linux_(host|target) *\}\}|` +
		`configure/CONFIG_SITE(\.local|\.linux-x86_64\.Common|\.Common\.linux-x86_64)?)$`)
	writtenFile = regexp.MustCompile(`^configure/(CONFIG_SITE|RELEASE)\.(local|linux-x86_64\.Common)$`)
	assignment  = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_.-]*)\s*[:+?]?=[^\r\n]*$`)
	// notBuilt are folders of a module that are not built, or do no harm.
	notBuilt = regexp.MustCompile(`^(tests?|examples?|iocBoot)$`)
)

// bySettings are variables that the build of every module sets.
var bySettings = []string{"CHECK_RELEASE", "CROSS_COMPILER_TARGET_ARCHS", "BUILD_IOCS"}

// configured takes the lines that are put into a CONFIG_SITE.
func (c *conversion) configured() {
	for i, p := range c.PatchLines {
		if c.applies("patch_lines", i, p) && !c.site("patch_lines", i, p) {
			c.notes("patch_lines", c.line("patch_lines", i), "writes %q in place of a line of %s; make a patch of that",
				p.Line, p.Path)
		}
	}
	for i, p := range c.PatchBlocks {
		if c.applies("patch_blocks", i, p) && !c.site("patch_blocks", i, p) {
			c.notes("patch_blocks", c.line("patch_blocks", i), "adds lines to %s; make a patch of that", p.Path)
		}
	}
	for i, p := range c.CommentOut {
		if !c.applies("comment_out", i, p) {
			continue
		}
		line := c.line("comment_out", i)
		if p.Path == "Makefile" && onlyNotBuilt(p.Regexp) {
			c.leaves("comment_out", line, "folders of tests and examples are not built, and iocBoot does no harm")
			continue
		}
		c.notes("comment_out", line, "comments out the lines of %s with %s; name the folders under skip if that is "+
			"what they are, or make a patch of that", p.Path, p.Regexp)
	}
}

// applies reports whether a change is made in a build for Linux, before the build.
func (c *conversion) applies(key string, i int, p change) bool {
	line := c.line(key, i)
	switch made := p.made(); {
	case made == onRTEMS:
		c.leaves(key, line, forRTEMS)
	case made == unclear:
		c.notes(key, line, "is done when %v; decide whether that holds", p.When)
	case made == always && p.PostBuild:
		c.notes(key, line, "changes %s after the build; no recipe can", p.Path)
	default:
		return made == always
	}
	return false
}

// site takes the lines of a change to a CONFIG_SITE; it reports whether it is one.
func (c *conversion) site(key string, i int, p change) bool {
	if !siteFile.MatchString(p.Path) {
		return false
	}
	text, first := p.Line, c.line(key, i, "line")
	if key == "patch_blocks" {
		text, first = p.Block, c.line(key, i, "block")+1
	}
	for n, l := range strings.Split(strings.TrimSuffix(text, "\n"), "\n") {
		l = strings.TrimSpace(l)
		m := assignment.FindStringSubmatch(l)
		switch {
		case l == "" && key == "patch_blocks", strings.HasPrefix(l, "#"):
		case m == nil:
			c.notes(key, first+n, "has %q, which sets no variable; make a patch of that", l)
		case slices.Contains(bySettings, m[1]):
			c.leaves(m[1], first+n, "the build of an image sets it")
		default:
			c.add(&c.recipe.Config, l, first+n)
		}
	}
	return true
}

// onlyNotBuilt reports whether an expression names nothing but folders that are not
// built, or do no harm.
func onlyNotBuilt(expression string) bool {
	plain := strings.NewReplacer(`\+\=`, "", `\+\= `, "", "^DIRS.*", "", ".*$", "").Replace(expression)
	for _, word := range strings.Split(plain, "|") {
		if !notBuilt.MatchString(strings.TrimSpace(word)) {
			return false
		}
	}
	return true
}

// byItself notes what needs no word in a recipe.
func (c *conversion) byItself() {
	for i, macro := range c.RemoveMacros {
		c.leaves(macro, c.line("remove_macros", i),
			"what its configure/RELEASE names is set to nothing unless it is one of its needs")
	}
	for i, file := range c.RemoveFiles {
		if writtenFile.MatchString(file) {
			c.leaves(file, c.line("remove_files_prebuild", i), "it is written anew")
			continue
		}
		c.notes("remove_files_prebuild", c.line("remove_files_prebuild", i), "removes %s; make a patch of that", file)
	}
	if c.LocalPath != "" && c.LocalPath != layout.Module(c.Module) {
		c.notes("local_path", c.line("local_path"), "has it at %s; it is at %s here", c.LocalPath,
			layout.Module(c.Module))
	}
}

// byHand notes what no recipe can have.
func (c *conversion) byHand() {
	for _, list := range []struct {
		key     string
		changes []change
	}{{"scripts", c.Scripts}, {"tasks", c.Tasks}, {"bash", c.Bash}} {
		for i, p := range list.changes {
			line := c.line(list.key, i)
			switch p.made() {
			case never:
			case onRTEMS:
				c.leaves(list.key, line, forRTEMS)
			default:
				c.notes(list.key, line, "runs %s; make a patch of what it changes, or have the module's source do it",
					p.Path+p.Cmd)
			}
		}
	}
	for _, macro := range slices.Sorted(maps.Keys(c.MoreMacros)) {
		c.notes("extra_release_macros", c.line("extra_release_macros", macro),
			"sets %s for all modules; a recipe can set it for its own, under config", macro)
	}
	if c.MakeOptions != nil {
		c.notes("make_options", c.line("make_options"),
			"calls make with %q; here it is make -j: a makefile that can't be is patched", *c.MakeOptions)
	}
	if c.Recursive {
		c.notes("recursive", c.line("recursive"),
			"takes all git submodules; name those that are wanted under submodules")
	}
}
