// Package recipe has images and support modules as typed values and as a graph:
// what is built on what.
package recipe

import (
	"path"
	"regexp"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/startup"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

const (
	// Dir is the folder of the tree that holds all of this.
	Dir = "generic-iocs"
	// Support is the folder of the support modules and their patches.
	Support = Dir + "/support"
)

// ModuleName is what a support module may be called: it becomes a folder's
// name, and the field writes some with capitals (ADCore, motorMotorSim).
const ModuleName = `^[A-Za-z0-9][-A-Za-z0-9_]{0,62}$`

var moduleName = regexp.MustCompile(ModuleName)

// IsModuleName reports whether a support module may be called name.
func IsModuleName(name string) bool { return moduleName.MatchString(name) }

// ModulePath returns where the file of a support module is, from the tree's root.
func ModulePath(module string) string { return path.Join(Support, module+".yaml") }

// PatchPath returns where a patch of a module is, from the tree's root.
func PatchPath(patch string) string { return path.Join(Support, patch) }

// Tree is all of generic-iocs/ at one commit, or that and released images
// what one image is made of.
type Tree struct {
	Images  map[asset.Name]*Image // by name: the folder's
	Modules map[string]*Module    // by name: the file's, without .yaml
	// Docs are the images' files, where the tree was read from them: they say at
	// which line a fault is.
	Docs map[asset.Name]*strictyaml.Doc
}

// Image is generic-iocs/<name>/image.yaml.
type Image struct {
	Name asset.Name // the folder's name
	File string     // "generic-iocs/ioc-simstage/image.yaml"
	// Exactly one of Parent and Base is set.
	Parent  asset.Pin     // from: "epics-base 7.0.8.1r1.0"
	Base    string        // from: a container image, "debian:trixie-slim": the root of the hierarchy
	Modules []ModuleRef   // built in this image, in the file's order
	Targets []string      // cross targets of EPICS that it is also built for: "linux-aarch64"
	Build   []string      // Debian packages the developer image has
	Run     []string      // Debian packages the runtime image has beyond those that are computed
	IOC     *IOC          // nil for an image that only others are built on
	Smoke   *Smoke        // nil when IOC is nil
	Startup startup.Rules // how the start of its IOCs is judged
	// Lines in File of what Targets, Build and Run name.
	Lines map[string]int
}

// ModuleRef asks for a support module at a git ref.
type ModuleRef struct {
	Name string
	Ref  string // tag, branch or commit; empty for a module whose source is in the tree
	Line int    // in image.yaml
}

// IOC is the IOC binary of an image: generated from the modules' dbds and
// libraries, or built from a folder of the tree. Its binary, dbd and
// registration function are always called "ioc", so that every start-up script
// begins with the same two lines.
type IOC struct {
	Modules []string // whose dbds and libraries it has; their needs and the root image's modules come with them
	Source  string   // folder below the image's, with an IOC application of its own; empty when generated
}

// Smoke is the smoke test of an image.
type Smoke struct {
	Config  string      // folder below the image's, mounted as an instance's config folder is: "smoke"
	Checks  []Check     // in the file's order
	Beside  []Simulator // run beside the IOC
	Restart bool        // the IOC is booted twice on one autosave volume
}

// Simulator stands in for a device beside an IOC under test. Exactly one of
// Image and Folder is set.
type Simulator struct {
	Image   string   // a container image by digest
	Folder  string   // of the tree, from the root
	Command []string // never empty
}

// Check is one question to a running IOC, asked over both Channel Access and
// pvAccess.
type Check struct {
	PV       string
	Line     int      // in image.yaml
	Value    *string  // the value as caget -n or pvget print it, when it must be this one
	Min, Max *float64 // the range it must be in
	Advances bool     // the value differs between two reads, and a monitor is told so
	Units    string   // its engineering units, when they must be these
	Severity string   // its alarm severity, when it must be this: "NO_ALARM"
	Type     string   // its type over the wire, when it must be this: "double", "string[]"
	Put      *string  // write this first …
	Reads    string   // … then read this PV instead (readback); empty reads PV itself
	Within   float64  // seconds until the value must be right; 0 means 10
}

// Module is generic-iocs/support/<name>.yaml.
type Module struct {
	Name       string
	File       string   // "generic-iocs/support/asyn.yaml"
	Git        string   // URL of its git repository; empty when Folder is set
	Folder     string   // folder of the tree that holds its source, from the root
	Submodules []string // git submodules that are wanted; others are left out
	Macro      string   // its name in configure/RELEASE: "ASYN"
	Needs      []string // support modules it is built against; EPICS Base is always one
	Patches    []string // files beside the recipe that are applied to its source, in this order
	Skip       []string // folders below its own that are not built
	Tests      bool     // its own tests are run after it was built
	Licence    string   // SPDX expression: "EPICS"; empty when the recipe does not say
	Packages   []string // Debian packages it is built with
	Config     []string // lines for configure/CONFIG_SITE.local: "TIRPC = YES"
	DBDs       []string // that it gives an IOC
	Libs       []string // that it gives an IOC, in link order
	Files      []string // below its folder, that an IOC reads when it runs, beside db
	// Lines in File of what Packages, Patches, Skip, DBDs, Libs and Files name,
	// and of the key tests.
	Lines map[string]int
}
