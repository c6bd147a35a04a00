package upstream

import (
	"path"
	"slices"
	"strings"
)

// Neighbour is another module that a module's configure/RELEASE names.
type Neighbour struct {
	Macro string // "ASYN"
	Path  string // as written: "$(SUPPORT)/asyn-R4-35"
	Line  int
	// Commented is set when the line is commented out: the module can be built
	// with it, and by default is not.
	Commented bool
}

// others are names in configure/RELEASE that are no modules.
var others = []string{
	"EPICS_BASE", "SUPPORT", "TOP", "RULES", "CONFIG", "EPICS_HOST_ARCH", "INSTALL_LOCATION", "INSTALL_LOCATION_APP",
	"TEMPLATE_TOP", "IOC_APPS", "CAPFAST_TEMPLATES", "SCH2EDIF_PATH", "EPICS_EXTENSIONS", "MSI",
}

// Neighbours returns the modules that a configure/RELEASE names, each once, in
// the file's order: what is set to a path that isn't below the module itself or
// EPICS Base. A line that counts is taken before one that is commented out.
func (m Makefile) Neighbours() []Neighbour {
	var all []Neighbour
	for _, a := range m.Assignments {
		if slices.Contains(others, a.Name) || !strings.Contains(a.Value, "/") || strings.Contains(a.Value, " ") ||
			strings.HasPrefix(a.Value, "$(EPICS_BASE)") || below(a.Value) {
			continue
		}
		n := Neighbour{a.Name, a.Value, a.Line, a.Comment}
		i := slices.IndexFunc(all, func(n Neighbour) bool { return n.Macro == a.Name })
		switch {
		case i < 0:
			all = append(all, n)
		case all[i].Commented && !a.Comment:
			all[i] = n
		}
	}
	return all
}

// below reports whether a path is the module's own folder or in it.
func below(p string) bool {
	rest, ok := strings.CutPrefix(p, "$(TOP)")
	clean := path.Clean("top" + rest)
	return ok && (clean == "top" || strings.HasPrefix(clean, "top/"))
}

// Self returns the macro that a configure/RELEASE sets to the module's own
// folder, as modules do whose examples are built against them; empty where none
// is.
func (m Makefile) Self() string {
	for _, a := range m.Assignments {
		if a.Value == "$(TOP)" && !slices.Contains(others, a.Name) {
			return a.Name
		}
	}
	return ""
}

// Overrides returns the files of configure/ that a configure/RELEASE reads for a
// site's own paths, by name: RELEASE.local, RELEASE_PATHS.local,
// RELEASE.linux-x86_64.Common. arch is EPICS's name for the machine.
func (m Makefile) Overrides(arch string) []string {
	var names []string
	for _, i := range m.Includes {
		expanded := strings.NewReplacer("$(EPICS_HOST_ARCH)", arch, "${EPICS_HOST_ARCH}", arch).Replace(i.Path)
		name, ok := strings.CutPrefix(expanded, "$(TOP)/configure/")
		if ok && !strings.ContainsAny(name, "/$ ") && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}
