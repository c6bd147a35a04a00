package record

import "slices"

// Recipe is what an image was made from, resolved: all that must be known
// to build another image on it. What it is built on has a record of its own; the
// root's container image is Parents.Root, and where the modules' sources came
// from is in Sources.
type Recipe struct {
	Modules []Module `json:"modules,omitempty"` // support modules built in this image, sorted by name
	Targets []string `json:"targets,omitempty"` // cross targets of EPICS: "linux-aarch64"
	// locked versions of the Debian packages that it brings, by name
	Packages map[string]string `json:"packages,omitempty"`
	IOC      *IOC              `json:"ioc,omitempty"` // nil for an image that others are only built on
}

// Module is a support module as it was built.
type Module struct {
	Name  string `json:"name"`
	Macro string `json:"macro"` // its name in configure/RELEASE: "ASYN"
	// support modules it was built against, beside EPICS Base
	Needs      []string          `json:"needs,omitempty"`
	DBDs       []string          `json:"dbds,omitempty"`       // that it gives an IOC
	Libs       []string          `json:"libs,omitempty"`       // that it gives an IOC, in link order
	Files      []string          `json:"files,omitempty"`      // below its folder, that an IOC reads, beside db
	Submodules map[string]string `json:"submodules,omitempty"` // commits of its git submodules, by path
}

// IOC is what the IOC binary of an image was made of.
type IOC struct {
	Modules []string `json:"modules,omitempty"` // whose dbds and libraries it has, as the recipe names them
	Source  string   `json:"source,omitempty"`  // in their place, the folder with an application of its own
}

// validateRecipe checks that an image can be built on.
func (r *Record) validateRecipe(f *faults) {
	if r.Recipe == nil {
		return
	}
	seen := map[string]bool{}
	for _, m := range r.Recipe.Modules {
		f.must(
			m.Name != "" && m.Macro != "" && !seen[m.Name], "module %q is twice there, or has no name or macro",
			m.Name,
		)
		f.must(
			slices.ContainsFunc(r.Sources, func(s Source) bool { return s.Module == m.Name }),
			"module %s has no source", m.Name,
		)
		seen[m.Name] = true
	}
}
