package image

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// A recipe that names a dbd without what it includes, or without the record type
// that it is for, is refused.
func TestDBDFaults(t *testing.T) {
	all := readDBDs(`@dbd base.dbd
recordtype(ai) {
}

@dbd motorRecord.dbd
recordtype(motor) {
@dbd motorSupport.dbd
include "motorRecord.dbd"
@dbd motorSim.dbd
device(motor,VME_IO,devMotorSim,"Motor Simulation")
device(strange,VME_IO,devStrange,"Strange")
include "asyn.dbd"`)
	require.Len(t, all, 4)
	mod := &recipe.Module{
		Name: "motor", File: "generic-iocs/support/motor.yaml", DBDs: []string{"motorSim.dbd"},
		Lines: map[string]int{"motorSim.dbd": 7},
	}
	require.EqualError(t, dbdFaults(mod, []string{"base.dbd"}, all), ""+
		"generic-iocs/support/motor.yaml:7: motorSim.dbd of motor includes asyn.dbd, "+
		"which neither it nor what it needs has; add the module that has it to needs\n"+
		"generic-iocs/support/motor.yaml:7: motorSim.dbd of motor has device support for the record type motor, "+
		"which none of dbds defines; put motorRecord.dbd, or what includes it, before it")
	all["asyn.dbd"] = all["base.dbd"]
	mod.DBDs = []string{"motorSupport.dbd", "motorSim.dbd"}
	require.NoError(t, dbdFaults(mod, []string{"base.dbd"}, all))
}
