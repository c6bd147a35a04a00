// Package startup knows what an IOC is started with: its config folder, the
// start-up script in it, and the names of its PVs.
package startup

import (
	"github.com/invopop/jsonschema"

	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

// PVPattern is what a PV's name looks like, as a regular expression: the
// characters EPICS Base allows in record names (Application Developer's Guide,
// "Record name"), at most 60 of them (PVNAME_STRINGSZ less the final zero), not
// beginning with one that it warns about, and a field where one is meant.
const PVPattern = `^[A-Za-z0-9_:<>;\]][-A-Za-z0-9_:<>;+\[\]]{0,59}(\.[A-Z][A-Z0-9_]*\$?)?$`

// PV is the name of a process variable in a people's file.
type PV string

// JSONSchema says what a PV's name looks like.
func (PV) JSONSchema() *jsonschema.Schema {
	return strictyaml.Text("PV name", PVPattern, "BL01T-MO-STAGE-01:RBV")
}
