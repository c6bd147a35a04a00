package ibek

import (
	"fmt"
	"slices"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// Chosen returns the modules that are named; all where none is. The error is of kind
// diag.Invalid where the catalogue has no such module.
func Chosen(modules []Module, names []string) ([]Module, error) {
	if len(names) == 0 {
		return modules, nil
	}
	var some []Module
	for _, name := range names {
		i := slices.IndexFunc(modules, func(m Module) bool { return m.Name == name })
		if i < 0 {
			return nil, &diag.Error{
				Kind: diag.Invalid, Doing: "reading the catalogue", Err: fmt.Errorf("it has no module %q", name),
				Fix: "name one as its install.yml calls it",
			}
		}
		some = append(some, modules[i])
	}
	return some, nil
}
