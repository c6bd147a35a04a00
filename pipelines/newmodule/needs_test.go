package newmodule

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// described describes a source whose macro is known.
func described(t *testing.T, files map[string]string, given Given) *Recipe {
	t.Helper()
	src := fstest.MapFS{}
	for name, text := range files {
		src[name] = &fstest.MapFile{Data: []byte(text)}
	}
	given.Macro = "OWN"
	r, err := Describe(src, "https://git.example.org/own", "R1-0", given, known)
	require.NoError(t, err)
	return r
}

// Every module that a line of a makefile uses is needed, and none that only has the name
// of a library of the system.
func TestNeedsOfMakefiles(t *testing.T) {
	for line, want := range map[string]string{
		"own_LIBS += scale": "scale",
		"own_LIBS += raw nobody limit $(EPICS_BASE_LIBS)":     "raw limit",
		"own_LIBS += scale \\\n  raw\n":                       "scale raw",
		"PROD_LIBS=limit":                                     "limit",
		"own_SYS_LIBS += scale":                               "",
		"SYS_LIBS += scale":                                   "",
		"USR_INCLUDES += -I$(SCALE)/include -I${RAW}/include": "scale raw",
		"DATA += $(EPICS_BASE)/x":                             "",
		"#own_LIBS += scale":                                  "",
		"ifdef X\nown_LIBS += scale\nendif":                   "",
		"ifdef X\nelse\nown_LIBS += scale\nendif":             "",
		"ifdef X\nendif\r\nown_LIBS += scale\r\n":             "scale",
		"include $(SCALE)/cfg/RULES":                          "scale",
		"-include $(SCALE)/cfg/RULES":                         "",
		"include $(RAW)/cfg/$(LIMIT)":                         "raw limit",
	} {
		r := described(t, map[string]string{"ownApp/src/Makefile": line}, Given{})
		assert.Equal(t, want, strings.Join(values(r.Needs), " "), line)
	}
	r := described(t, map[string]string{"ownApp/test/Makefile": "own_LIBS += scale", "iocs/a/Makefile": "x_LIBS=raw"}, Given{})
	assert.Empty(t, r.Needs, "what its tests and IOCs use")
}

// A configure/RELEASE of Windows, of a site that has its paths elsewhere, or with nothing.
func TestRelease(t *testing.T) {
	for release, want := range map[string]string{
		"": "", "# nothing\n": "", "EPICS_BASE=/x\r\n": "",
		"SCALE = /x/scale # theirs\r\nRAW=$(SUPPORT)/raw\r\n":                        "scale raw",
		"SETTINGS = D:/epics/settings\n":                                             "settings",
		"-include $(TOP)/../RELEASE.$(EPICS_HOST_ARCH)\ninclude $(TOP)/../RELEASE\n": "",
		"SCALE=/x/scale\nSCALE=/y/scale\n":                                           "scale",
		"OWN=/x/own\nSCALE=$(OWN)/../scale\n":                                        "scale",
		"SCALE=$(TOP)/scale\n":                                                       "",
		"RAW=\nSCALE=YES\n":                                                          "",
	} {
		r := described(t, map[string]string{"configure/RELEASE": release}, Given{})
		assert.Equal(t, want, strings.Join(values(r.Needs), " "), release)
		readable(t, r)
	}
	r := described(t, map[string]string{"configure/RELEASE": "scale=/x\n#RAW=/x/raw\nLIMIT=/x/limit\n"}, Given{})
	assert.Equal(t, []string{"scale", "raw"}, values(r.Without), "a macro in another case is another")
	assert.Equal(t, []string{"limit"}, values(r.Needs))
}
