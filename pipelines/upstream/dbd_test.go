package upstream

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadDBD(t *testing.T) {
	d := ReadDBD(`# include "gone.dbd"
include "axisRecord.dbd"
include motorRecord.dbd
recordtype(axis) {
	include "dbCommon.dbd"
	field(VAL, DBF_DOUBLE) { prompt("a value # no comment") }
}
device(ai, INST_IO, devAiAxis, "axis read")
device("ai",CONSTANT,devAiSoft,"Soft")
 driver(drvAxis)
registrar("axisRegister")
variable(axisDebug, int)
variable(axisGain, double)
variable(axisMore)
function(axisCount)
`)
	require.Equal(t, []string{"axisRecord.dbd", "motorRecord.dbd", "dbCommon.dbd"}, d.Includes)
	require.Equal(t, []string{"axis"}, d.RecordTypes)
	require.Equal(t, []string{"ai"}, d.Devices)
	require.Equal(t, []string{
		"recordtype(axis)", `device(ai,"axis read")`, `device(ai,"Soft")`, "driver(drvAxis)", "registrar(axisRegister)",
		"variable(axisDebug)", "variable(axisGain)", "variable(axisMore)", "function(axisCount)",
	}, d.Defined)
	require.Equal(t, []string{
		"pvar_rset_axisRSET", "pvar_dset_devAiAxis", "pvar_dset_devAiSoft", "pvar_drvet_drvAxis",
		"pvar_func_axisRegister", "pvar_int_axisDebug", "pvar_double_axisGain", "pvar_int_axisMore",
		"pvar_func_register_func_axisCount",
	}, d.Symbols)
}

func TestLacks(t *testing.T) {
	all := map[string]DBD{
		"base.dbd":         {Includes: []string{"ai.dbd"}},
		"ai.dbd":           {RecordTypes: []string{"ai"}},
		"motorRecord.dbd":  {RecordTypes: []string{"motor"}},
		"motorSupport.dbd": {Includes: []string{"motorRecord.dbd"}},
		"sim.dbd":          {Devices: []string{"motor", "ai"}},
		"broken.dbd":       {Includes: []string{"gone.dbd"}},
		"round.dbd":        {Includes: []string{"round.dbd"}},
	}
	before := []string{"base.dbd"}
	require.Empty(t, Lacks([]string{"motorSupport.dbd", "sim.dbd", "round.dbd"}, before, all))
	require.Len(
		t, Lacks([]string{"sim.dbd", "motorSupport.dbd"}, before, all), 1,
		"a record type stands before its device support",
	)
	require.Equal(
		t, []Lack{{DBD: "sim.dbd", RecordType: "motor", Definers: []string{"motorRecord.dbd"}}},
		Lacks([]string{"sim.dbd"}, before, all),
	)
	require.Equal(t, []Lack{{DBD: "broken.dbd", Include: "gone.dbd"}}, Lacks([]string{"broken.dbd"}, before, all))
}

func FuzzReadDBD(f *testing.F) {
	f.Add("include \"a.dbd\"\ndevice(ai,INST_IO,x,\"y\")\nrecordtype(a) {}\n")
	f.Add("device(,)include\ninclude \"\n")
	f.Fuzz(func(t *testing.T, text string) {
		d := ReadDBD(text)
		Lacks([]string{"a.dbd"}, nil, map[string]DBD{"a.dbd": d})
		for _, name := range append(d.Includes, d.Defined...) {
			require.NotEmpty(t, name)
		}
	})
}
