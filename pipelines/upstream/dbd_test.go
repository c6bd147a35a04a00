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

// What is lacked is told once for each file and each thing, with the files that have it.
func TestLacksAreToldOnce(t *testing.T) {
	all := map[string]DBD{
		"a.dbd": {Includes: []string{"gone.dbd", "more.dbd", "gone.dbd"}, Devices: []string{"x"}},
		"b.dbd": {Includes: []string{"more.dbd"}, Devices: []string{"x", "y"}},
		// included by both
		"more.dbd": {Includes: []string{"gone.dbd", "far.dbd"}, Devices: []string{"y"}},
		"z.dbd":    {RecordTypes: []string{"x", "w"}}, "c.dbd": {RecordTypes: []string{"x"}},
	}
	x, gone := []string{"c.dbd", "z.dbd"}, "gone.dbd"
	require.Equal(t, []Lack{
		{DBD: "a.dbd", Include: gone},
		{DBD: "a.dbd", RecordType: "x", Definers: x},
		{DBD: "more.dbd", Include: gone},
		{DBD: "more.dbd", Include: "far.dbd"},
		{DBD: "a.dbd", RecordType: "y"},
		{DBD: "b.dbd", RecordType: "x", Definers: x},
		{DBD: "b.dbd", RecordType: "y"},
	}, Lacks([]string{"a.dbd", "b.dbd"}, nil, all))
	some := map[string]DBD{
		"more.dbd": all["more.dbd"], "y.dbd": {Includes: []string{"of.dbd"}}, "of.dbd": {RecordTypes: []string{"y"}},
	}
	require.Equal(t, []Lack{{DBD: "more.dbd", Include: gone}, {DBD: "more.dbd", Include: "far.dbd"}},
		Lacks([]string{"more.dbd"}, []string{"nobody.dbd", "y.dbd"}, some),
		"a type that comes before, in what is included there")
	require.Empty(t, Lacks([]string{"nobody.dbd"}, nil, all))
}

// A definition is read however it is spread over lines, and a comment is none.
func TestReadDBDSpelledOddly(t *testing.T) {
	for text, want := range map[string]DBD{
		"recordtype ( \"a\" ) {}": {
			RecordTypes: []string{"a"}, Defined: []string{"recordtype(a)"}, Symbols: []string{"pvar_rset_aRSET"},
		},
		"device(a,\n\tCONSTANT, # of links\r\n\tdevA,\"the A\")": {
			Devices: []string{"a"}, Defined: []string{`device(a,"the A")`}, Symbols: []string{"pvar_dset_devA"},
		},
		"device(a, INST_IO)": {
			Devices: []string{"a"}, Defined: []string{"device(a,INST_IO)"}, Symbols: []string{"pvar_dset_"},
		},
		"variable(a,double)variable(b)": {
			Defined: []string{"variable(a)", "variable(b)"}, Symbols: []string{"pvar_double_a", "pvar_int_b"},
		},
		"# registrar(a)\n#include \"b.dbd\"": {},
		"include \"a.dbd\"\r\n\tinclude b.dbd": {
			Includes: []string{"a.dbd", "b.dbd"},
		},
		"preregistrar(a)\nregistrar()\nregistrar(\"\")": {},
		"driver(a":                 {},
		"menu(a) { choice(b, c) }": {},
	} {
		require.Equal(t, want, ReadDBD(text), text)
	}
}
