package newmodule

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/recipefile"
)

// The macro that nobody says is made of the module's name as a makefile can have it.
func TestMacroOfAName(t *testing.T) {
	for url, want := range map[string]string{
		"https://h/asyn": "ASYN", "https://h/motor-sim.git": "MOTOR_SIM", "https://h/2dAxis": "_2DAXIS",
		"https://h/a.b--c": "A_B_C", "https://h/9": "_9", "https://h/a9/": "A9", "ssh://git@h/own.git.git": "OWN_GIT",
	} {
		r, err := Describe(fstest.MapFS{}, url, "R1-0", Given{}, known)
		require.NoError(t, err)
		assert.Equal(t, Fact{want, "from the module's name"}, r.Macro, url)
		assert.Equal(t, Question{
			"macro", "what do other modules call it in their configure/RELEASE?", want + " is taken",
		}, r.Open[0], url)
	}
	src := fstest.MapFS{"configure/RELEASE": {Data: []byte("OTHER=$(TOP)\nASYN=/x/asyn\n")}}
	r, err := Describe(src, "https://h/asyn", "R1-0", Given{}, known)
	require.NoError(t, err)
	assert.Equal(t, "OTHER", r.Macro.Value, "what it calls itself goes before its name")
}

// Nothing is needed twice, by itself, or of EPICS Base, however often it is named.
func TestNeedsAreOthersAndOnce(t *testing.T) {
	files := map[string]string{
		"configure/RELEASE": "OWN=/x/own\nSCALE=/x/scale\nEPICS_BASE=/x\n#RAW=/x/raw\nNOBODY=/x/nobody\n" +
			"#GONE=/x/gone\n",
		"src/Makefile":    "own_LIBS += scale raw\nown_LIBS += qsrv\nLIBS_x += limit\nX += $(LIMIT)/y\n",
		".ci-local/a.set": "MODULES=\"scale own limit settings nowhere\"\n#MODULES=settings\nOTHER=settings\n",
	}
	r := described(t, files, Given{Needs: []string{"scale", "scale", "own", "epics-base"}})
	assert.Equal(t, []string{"scale", "raw", "limit"}, values(r.Needs))
	assert.Equal(t, said, r.Needs[0].Why)
	assert.Equal(t, "src/Makefile:1: own_LIBS += scale raw", r.Needs[1].Why)
	assert.Equal(t, []Fact{
		{"NOBODY", "configure/RELEASE:5 names NOBODY, and no recipe has that macro"},
		{"settings", ".ci-local/a.set:1 builds it with settings; build it with --need settings"},
	}, r.Without, "what a comment names and the makefiles use is needed")
	r = described(t, files, Given{Without: []string{"raw", "scale"}})
	assert.Equal(t, []string{"limit"}, values(r.Needs))
	assert.Contains(t, r.Without, Fact{
		"scale", "it was left out by who added the module; configure/RELEASE:2 names SCALE",
	})
}

// The variables with which a site configures a module are noted once, without those that
// every module has.
func TestSwitches(t *testing.T) {
	r := described(t, map[string]string{
		"configure/CONFIG_SITE": "CHECK_RELEASE=YES\nWITH_X=NO\n#WITH_Y=YES\nifdef A\nWITH_X=YES\nendif\nHOST_OPT=NO\n",
	}, Given{})
	assert.Equal(t, []string{"WITH_X", "WITH_Y"}, r.Switches)
}

// A submodule is wanted where a makefile names its folder, from where the makefile is or
// from the top; a wildcard, a comment and a longer name do not.
func TestSubmodulesThatAreNamed(t *testing.T) {
	const modules = "[submodule \"v\"]\n\tpath = vendor/lib\n\turl = ../v\n"
	for makefile, want := range map[string]string{
		"SRC_DIRS += $(TOP)/vendor/lib":       "src/Makefile:1: SRC_DIRS += $(TOP)/vendor/lib",
		"SRC_DIRS += ../vendor/lib/src other": "src/Makefile:1: SRC_DIRS += ../vendor/lib/src other",
		"SRC_DIRS += vendor/libs":             "",
		"#SRC_DIRS += vendor/lib":             "",
		"SRC_DIRS += $(wildcard vendor/lib)":  "",
		"SUBMODULES += vendor/lib":            "",
		"SRC_DIRS += /vendor/lib":             "",
	} {
		r := described(t, map[string]string{".gitmodules": modules, "src/Makefile": makefile}, Given{})
		if want == "" {
			assert.Empty(t, r.Submodules, makefile)
			assert.Equal(t, "which of vendor/lib are wanted?", r.Open[0].Text, makefile)
			continue
		}
		assert.Equal(t, []Fact{{"vendor/lib", want}}, r.Submodules, makefile)
	}
	r := described(t, map[string]string{".gitmodules": modules, "vendor/Makefile": "DIRS += lib"}, Given{})
	assert.Equal(t, []string{"vendor/lib"}, values(r.Submodules), "from the makefile's own folder")
	r = described(t, map[string]string{".gitmodules": modules}, Given{Submodules: []string{}})
	assert.Empty(t, r.Submodules)
	require.Len(t, r.Open, 1, "somebody said that none is")
	assert.Equal(t, "licence", r.Open[0].Of)
}

// Libraries stand before those that they need, each once, however they need each other.
func TestLibrariesInTheOrderOfTheLinker(t *testing.T) {
	for built, want := range map[string]string{
		"": "", "@lib libb.so\n@lib liba.so\n": "b a",
		"@lib liba.so\n  NEEDED  libb.so\n@lib libb.so\n":                     "a b",
		"@lib libb.so\n@lib liba.so\n  NEEDED  libb.so.1.2\n@lib libb.a\n":    "a b",
		"@lib liba.so\n  NEEDED  liba.so\n":                                   "a",
		"@lib liba.so\nNEEDED libb.so\n@lib libb.so\nNEEDED liba.so\n":        "a b",
		"@lib liba.so\nNEEDED libc.so\n@lib libb.so\nNEEDED liba.so\n@lib\n":  "b a",
		"@lib liba.so\n  RPATH /x\n  NEEDED\n  NEEDED x y\n@lib libb.so more": "a",
	} {
		r := &Recipe{}
		r.Complete(ReadBuilt(built, "/m"), nil, nil)
		got := values(r.Libs)
		assert.Equal(t, want, strings.Join(got, " "), built)
		assert.Len(t, slices.Compact(slices.Sorted(slices.Values(got))), len(got))
		for _, l := range r.Libs {
			assert.NotContains(t, l.Why, "needs "+l.Value, "its own need is none")
		}
	}
}

// What a build left is read by its heads; one that is none of them is passed over.
func TestReadBuilt(t *testing.T) {
	b := ReadBuilt("noise\n@program a\n@program b c\n@folder iocsh\n@folder a b\n@symbols\npvar_a\n pvar_b pvar_c\n"+
		"@symbols more\npvar_d\n@dbd /m own.dbd\ndriver(a)\n@dbd /n below.dbd\ndriver(b)\n@dbd /m\n@other x\n@\n", "/m")
	assert.Equal(t, []string{"a"}, b.Programs)
	assert.Equal(t, []string{"iocsh"}, b.Folders)
	assert.Equal(t, map[string]bool{"pvar_a": true, "pvar_b": true, "pvar_c": true}, b.Symbols)
	assert.Equal(t, []string{"own.dbd"}, sortedKeys(b.DBDs))
	assert.Equal(t, []string{"below.dbd"}, sortedKeys(b.Below))
	assert.Equal(t, []string{"driver(a)"}, b.DBDs["own.dbd"].Defined)
	assert.Empty(t, ReadBuilt("x\n@program y", "/m").Libs)
}

// A value that YAML would take for something else is quoted, and reads as it was.
func TestScalarsAtTheirEdges(t *testing.T) {
	for value, want := range map[string]string{
		"a": "a", "z9": "z9", "A:b": "A:b", "a:": `"a:"`, "9": `"9"`, "0a": `"0a"`, "a/b_c.d-e+f": "a/b_c.d-e+f",
		"a b": `"a b"`, "": `""`, "-a": `"-a"`, "NULL": `"NULL"`, "off": `"off"`, "offs": "offs", "a=": `"a="`,
		"a\"\\": `"a\"\\"`, "/": "/", "_": "_", "a@": `"a@"`, "a`": "\"a`\"", "a[": `"a["`, "a;": `"a;"`,
	} {
		assert.Equal(t, want, scalar(value))
	}
	r := described(t, nil, Given{Config: []string{"A = \"b\\c\"", "B:=$(X)"}, Skip: []string{"docs"}})
	got, err := recipefile.ReadModule(r.Name, []byte(r.Text("")))
	require.NoError(t, err)
	assert.Equal(t, []string{"A = \"b\\c\"", "B:=$(X)"}, got.Config)
}
