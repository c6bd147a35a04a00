package upstream

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const release = `# RELEASE of a module whose examples are built against it
SUPPORT=/path/to/support
TEMPLATE_TOP=$(EPICS_BASE)/templates/makeBaseApp/top
MAKE_TEST_IOC_APP=YES

#IPAC = $(SUPPORT)/ipac-2-16
#!SCAN=$(SUPPORT)/scan
SCALE=$(SUPPORT)/scale-R1-0 # the one that the example has
ifdef WITH_LIMIT
  LIMIT := \
    $(SUPPORT)/limit
else
  LIMIT=/elsewhere/limit
endif
IPAC=$(SUPPORT)/ipac
# A sentence = one with / and spaces
OWN=$(TOP)
VENDOR=$(TOP)/vendor/fir
BESIDE=$(TOP)/../beside
EPICS_BASE=/path/to/base

-include $(TOP)/../RELEASE.local
-include $(TOP)/../RELEASE.$(EPICS_HOST_ARCH).local
-include $(TOP)/configure/RELEASE_PATHS.local
include $(TOP)/configure/RELEASE.local.$(EPICS_HOST_ARCH)
`

func TestNeighbours(t *testing.T) {
	m := ReadMakefile(release)
	require.Equal(t, []Neighbour{
		{"IPAC", "$(SUPPORT)/ipac", 15, false},
		{"SCAN", "$(SUPPORT)/scan", 7, true},
		{"SCALE", "$(SUPPORT)/scale-R1-0", 8, false},
		{"LIMIT", "$(SUPPORT)/limit", 10, false},
		{"BESIDE", "$(TOP)/../beside", 19, false},
	}, m.Neighbours())
	require.Equal(t, "OWN", m.Self())
	require.Equal(t, []string{"RELEASE_PATHS.local", "RELEASE.local.linux-x86_64"}, m.Overrides("linux-x86_64"))
	require.Empty(t, ReadMakefile("").Self())
}

func TestConditions(t *testing.T) {
	m := ReadMakefile(
		"a_LIBS += x\nifdef CALC\na_LIBS += calc\nelse\na_LIBS += nocalc\nendif\nifneq ($(SSCAN),)\n" +
			" ifeq ($(A),YES)\na_LIBS += sscan\n endif\nendif\nendif\na_LIBS += y z\n#a_LIBS += gone\n",
	)
	require.Equal(t, []string{"x", "calc", "nocalc", "sscan", "y", "z"}, m.Values("a_LIBS"))
	within := map[string][]string{}
	for _, a := range m.Assignments {
		within[a.Value] = a.Within
	}
	require.Empty(t, within["x"])
	require.Equal(t, []string{"ifdef CALC"}, within["calc"])
	require.Equal(t, []string{"not ifdef CALC"}, within["nocalc"])
	require.Equal(t, []string{"ifneq ($(SSCAN),)", "ifeq ($(A),YES)"}, within["sscan"])
	require.Empty(t, within["y z"])
	require.Equal(t, []string{"ifdef CALC", "ifneq ($(SSCAN),)", "ifeq ($(A),YES)"}, m.Conditions)
}

// Whatever a makefile holds, only its own lines are read.
func FuzzReadMakefile(f *testing.F) {
	f.Add(release)
	f.Add("a=\\\n\\\n\\")
	f.Add("else\nendif\nelse\r\nifdef\nx := y\r\n-include")
	f.Fuzz(func(t *testing.T, text string) {
		m := ReadMakefile(text)
		for _, a := range m.Assignments {
			require.NotEmpty(t, a.Name)
			require.Positive(t, a.Line)
		}
		for _, n := range m.Neighbours() {
			require.NotEmpty(t, n.Path)
		}
		m.Self()
		m.Overrides("linux-x86_64")
	})
}

// Lines are numbered as an editor does, whatever ends them and however many are one.
func TestJoinedLines(t *testing.T) {
	m := ReadMakefile("A = a \\\r\n  b \\\r\n\\\r\n  c # d \\\n  e\n" +
		"B := f\\\n\nC ?= g\\\\\nD = h\\ \ninclude x \\\n y\nE += \\")
	require.Equal(t, []Assignment{
		{Name: "A", Op: "=", Value: "a  b   c", Line: 1},
		{Name: "B", Op: ":=", Value: "f", Line: 6},
		{Name: "C", Op: "?=", Value: `g\ D = h\`, Line: 8},
		{Name: "E", Op: "+=", Value: `\`, Line: 12},
	}, m.Assignments)
	require.Equal(t, []Include{{Path: "x  y", Must: true, Line: 10}}, m.Includes)
	long := ReadMakefile("A = " + strings.Repeat("x \\\n", 300_000) + "y\nB = z\n")
	require.Len(t, long.Values("A"), 300_001)
	require.Equal(t, 300_002, long.Assignments[1].Line)
}

// Each form of an assignment, and what only looks like one.
func TestAssignments(t *testing.T) {
	for line, want := range map[string]Assignment{
		"A=b":                 {Name: "A", Op: "=", Value: "b"},
		"\tA.b-c_1 ::= d ":    {Name: "A.b-c_1", Op: "::=", Value: "d"},
		"A += b=c":            {Name: "A", Op: "+=", Value: "b=c"},
		"A ?= $(B)#c":         {Name: "A", Op: "?=", Value: "$(B)"},
		"#A = b":              {Name: "A", Op: "=", Value: "b", Comment: true},
		"  ##! A = b # c":     {Name: "A", Op: "=", Value: "b", Comment: true},
		"A =":                 {Name: "A", Op: "="},
		"A: b":                {},
		"1A = b":              {},
		"define A":            {},
		"# of A, and B = c":   {},
		"\ufeffA = b":         {},
		"$(A) = b":            {},
		"A != b":              {},
		"export A = b":        {},
		"include = b":         {},
		"ifdef A":             {},
		"endif A = b":         {},
		"else A = b":          {},
		"elsewhere = b":       {Name: "elsewhere", Op: "=", Value: "b"},
		"endiff = b":          {Name: "endiff", Op: "=", Value: "b"},
		"ifdefined = b":       {Name: "ifdefined", Op: "=", Value: "b"},
		"includes = b":        {Name: "includes", Op: "=", Value: "b"},
		"A = b\rc":            {Name: "A", Op: "=", Value: "b\rc"},
		"-include $(A)/b.mk ": {},
	} {
		all := ReadMakefile("\n" + line + "\r\n").Assignments
		if want.Name == "" {
			require.Empty(t, all, line)
			continue
		}
		want.Line = 2
		require.Equal(t, []Assignment{want}, all, line)
	}
}

// What is included, and whether it must be there.
func TestIncludes(t *testing.T) {
	for line, want := range map[string][]Include{
		"include $(TOP)/a # b":   {{"$(TOP)/a", true, 1}},
		" -include a":            {{"a", false, 1}},
		"sinclude a":             {{"a", false, 1}},
		"#include a":             nil,
		"included a":             nil,
		"include":                nil,
		"ifdef A\ninclude a\n":   {{"a", true, 2}},
		"- include a":            nil,
		"include a\r\ninclude b": {{"a", true, 1}, {"b", true, 2}},
	} {
		require.Equal(t, want, ReadMakefile(line).Includes, line)
	}
}

// A module's own folder, one of EPICS Base and what is no path is no neighbour; of a
// macro that is set twice, the first line that counts.
func TestNeighboursAreOthers(t *testing.T) {
	for text, want := range map[string][]Neighbour{
		"A=/x":                      {{"A", "/x", 1, false}},
		"A=x":                       nil,
		"A=/x y":                    nil,
		"A=$(TOP)":                  nil,
		"A=$(TOP)/":                 nil,
		"A=$(TOP)/b":                nil,
		"A=$(TOP)/..":               {{"A", "$(TOP)/..", 1, false}},
		"A=$(TOP)/b/../../c":        {{"A", "$(TOP)/b/../../c", 1, false}},
		"A=$(TOPS)/b":               {{"A", "$(TOPS)/b", 1, false}},
		"A=$(EPICS_BASE)/b":         nil,
		"EPICS_BASE=/x":             nil,
		"SUPPORT=/x":                nil,
		"MSI=/x/msi":                nil,
		"A=/x\nA=/y":                {{"A", "/x", 1, false}},
		"#A=/x\n#A=/y":              {{"A", "/x", 1, true}},
		"#A=/x\nA=/y\nA=/z":         {{"A", "/y", 2, false}},
		"A=/x\n#A=/y":               {{"A", "/x", 1, false}},
		"ifdef W\nA=/x\nendif":      {{"A", "/x", 2, false}},
		"A=/x/$(EPICS_HOST_ARCH)/y": {{"A", "/x/$(EPICS_HOST_ARCH)/y", 1, false}},
	} {
		require.Equal(t, want, ReadMakefile(text).Neighbours(), text)
	}
	for text, want := range map[string]string{
		"A=$(TOP)": "A", "#A=$(TOP)": "A", "A=$(TOP)/": "", "TOP=$(TOP)": "", "A=/x\nB=$(TOP)\nC=$(TOP)": "B",
	} {
		require.Equal(t, want, ReadMakefile(text).Self(), text)
	}
	for text, want := range map[string][]string{
		"include $(TOP)/configure/A":                                 {"A"},
		"-include $(TOP)/configure/A\ninclude $(TOP)/configure/A":    {"A"},
		"include $(TOP)/configure/B.${EPICS_HOST_ARCH}.$(T_A)":       nil,
		"include $(TOP)/configure/B.${EPICS_HOST_ARCH}":              {"B.linux-arm"},
		"include $(TOP)/configure/os/A":                              nil,
		"include $(TOP)/configure/A $(TOP)/configure/B":              nil,
		"include configure/A\ninclude $(TOP)/../configure/A":         nil,
		"include $(TOP)/configure/A.$(EPICS_HOST_ARCH).Common # one": {"A.linux-arm.Common"},
	} {
		require.Equal(t, want, ReadMakefile(text).Overrides("linux-arm"), text)
	}
}
