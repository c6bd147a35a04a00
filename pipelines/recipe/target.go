package recipe

import "strings"

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

// Builds reports whether something builds for a target.
func Builds(target string) bool {
	_, known := CrossCompilers[target]
	return known || RTEMS(target)
}
