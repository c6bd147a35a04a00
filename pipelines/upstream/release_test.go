package upstream

import (
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
