package recipe

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// CrossCompiler is the compiler that Debian has for a target of EPICS.
type CrossCompiler struct {
	Program string // "/usr/bin/aarch64-linux-gnu-g++"
	Package string // that brings it: "g++-aarch64-linux-gnu"
	Prefix  string // GNU_TARGET in EPICS's configuration: "aarch64-linux-gnu"
}

// CrossCompilers are those of the targets that can be built with what Debian
// has, by target. RTEMS brings its own, and other targets have none here.
var CrossCompilers = map[string]CrossCompiler{
	"linux-aarch64": {"/usr/bin/aarch64-linux-gnu-g++", "g++-aarch64-linux-gnu", "aarch64-linux-gnu"},
	"linux-arm":     {"/usr/bin/arm-linux-gnueabihf-g++", "g++-arm-linux-gnueabihf", "arm-linux-gnueabihf"},
}

// RTEMS reports whether a target is one of RTEMS.
func RTEMS(target string) bool { return strings.HasPrefix(target, "RTEMS-") }

var targetName = regexp.MustCompile(`^[A-Za-z0-9_]+(-[A-Za-z0-9_]+)+$`)

// checkTargets refuses a target that nothing builds for.
func (r *reader) checkTargets(img *Image, doc *strictyaml.Doc) {
	for i, t := range img.Targets {
		if targetName.MatchString(t) && !builds(t) { // the schema refuses other names
			known := slices.Sorted(maps.Keys(CrossCompilers))
			fix := meant(t, known, "name one of "+strings.Join(known, ", ")+", or one of RTEMS")
			r.faultAt(doc, strictyaml.Path{"targets", i}, fix, "nothing builds for %s", t)
		}
	}
}

// builds reports whether something builds for a target.
func builds(target string) bool {
	_, known := CrossCompilers[target]
	return known || RTEMS(target)
}
