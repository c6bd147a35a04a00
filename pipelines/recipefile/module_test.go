package recipefile_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
)

// The text of a module's file is read without a tree: what only a tree can say is not
// asked.
func TestReadModule(t *testing.T) {
	const text = "# A module.\n\ngit: https://git.example.org/x\nmacro: X\nneeds: [nobody]\npatches: [x.patch]\n" +
		"licence: LGPL-2.1-or-later\ntests: true\ndbds:\n- x.dbd\n- xSupport.dbd\nlibs: [x]\n"
	want := &recipe.Module{
		Name: "x", File: "generic-iocs/support/x.yaml", Git: "https://git.example.org/x", Macro: "X",
		Needs: []string{"nobody"}, Patches: []string{"x.patch"}, Licence: "LGPL-2.1-or-later", Tests: true,
		DBDs: []string{"x.dbd", "xSupport.dbd"}, Libs: []string{"x"},
		Lines: map[string]int{"x.patch": 6, "tests": 8, "x.dbd": 10, "xSupport.dbd": 11, "x": 12},
	}
	for name, written := range map[string]string{
		"as here": text, "on Windows": "\xef\xbb\xbf" + strings.ReplaceAll(text, "\n", "\r\n"),
	} {
		got, err := recipefile.ReadModule("x", []byte(written))
		require.NoError(t, err, name)
		assert.Equal(t, want, got, name)
	}
	folder, err := recipefile.ReadModule("x", []byte("folder: somewhere\nmacro: X\n"))
	require.NoError(t, err)
	assert.Equal(t, "somewhere", folder.Folder)
}

// What a module's file says wrong by itself has its line and a fix.
func TestReadModuleRefuses(t *testing.T) {
	const git = "git: https://git.example.org/x\n"
	for text, want := range map[string]string{
		"":                               ":1: the file is empty; write its keys, or remove it",
		"# git: x\n":                     ":1: the file is empty; write its keys, or remove it",
		"macro: X\n":                     ":1: nothing says where the source of x is; add git with the URL of its repository, ",
		git + "macro: X\nfolder: x\n":    ":3: the source is said to be both in git and in a folder of this ",
		git + "macro: SUPPORT\n":         ":2: SUPPORT has another meaning in configure/RELEASE; name the module's own",
		git + "macro: EPICS_BASE\n":      ":2: EPICS_BASE is the macro of epics-base; name the module's own",
		git + "macro: x.y\n":             `:2: macro: "x.y" is not a legal macro name; write it as in ASYN`,
		git + "macro: X\nlicence: GPL\n": `:3: "GPL" is no licence expression of SPDX; write it as in EPICS, `,
		git + "macro: X\nlicence: MIT or Apache-2.0\n": `:3: "MIT or Apache-2.0" is no licence expression of SPDX; `,
		git + "macro: X\nsubmodules: [a/../b]\n":       `:3: "a/../b" is not the path of a submodule; `,
		git + "macro: X\nsubmodules: ['C:\\x', /x]\n":  `:3: "/x" is not the path of a submodule; `,
		git + "macro: X\nsubmodules: [.]\n":            `:3: "." is not the path of a submodule; `,
		git + "macro: X\nfiles: ['db\\x.db']\n":        `:3: files: "db\\x.db" is not a legal path below the module's folder; `,
		git + "macro: X\nfiles: [db//x.db]\n":          `:3: files: "db//x.db" is not a legal path below the module's folder; `,
		git + "macro: X\npatches: [../x.patch]\n":      `:3: patches: "../x.patch" is not a legal file name of a patch; `,
		git + "macro: X\nskip: [a, b, a]\n":            `:3: skip: "a" is there twice; remove one`,
		git + "macro: X\nconfig: [\"A=1\\nB=2\"]\n":    `:3: config: "A=1\nB=2" is not a legal line of CONFIG_SITE; `,
		"git: http://ada:secret@h/x\nmacro: X\n":       `:1: git: "http://…@h/x" is not a legal URL of a git repository; `,
		"git: 'C:\\src\\x'\nmacro: X\n":                `:1: git: "C:\\src\\x" is not a legal URL of a git repository; `,
		"git: ../x\nmacro: X\n":                        `:1: git: "../x" is not a legal URL of a git repository; `,
		"git: ssh://git:secret@h/x\nmacro: X\n":        `:1: git: "ssh://…@h/x" is not a legal URL of a git repository; `,
	} {
		got, err := recipefile.ReadModule("x", []byte(text))
		assert.Nil(t, got, text)
		require.Len(t, diag.All(err), 1, "%s: %v", text, err)
		assert.ErrorContains(t, err, "generic-iocs/support/x.yaml"+want, text)
		assert.Equal(t, diag.Invalid, diag.KindOf(err))
		assert.NotContains(t, err.Error(), "secret")
	}
	for _, url := range []string{"ssh://git@h/x", "file:///srv/x.git", "git://h/x", "http://h:8080/x%20y"} {
		_, err := recipefile.ReadModule("x", []byte("git: "+url+"\nmacro: X\n"))
		assert.NoError(t, err, url)
	}
}

// A ref of git is text, however much it looks like a number.
func TestRefs(t *testing.T) {
	const file = "generic-iocs/epics-base/image.yaml"
	for ref, want := range map[string]string{
		"R7.0.8.1": "R7.0.8.1", "7.0.8.1": "7.0.8.1", "12345e7": "12345e7", "08": "08", "v1.0+x": "v1.0+x", `"4.10"`: "4.10",
		`"0123456"`: "0123456", "feature/x": "feature/x",
		"4.10":    `! modules.epics-base: the number 4.10 where text belongs; put it in quotes: "4.10"`,
		"1234567": `! modules.epics-base: the number 1234567 where text belongs; put it in quotes: "1234567"`,
		"0123456": "! 0123456 is a number that readers of YAML disagree about; ",
		"HEAD~1":  `! modules.epics-base: "HEAD~1" is not a legal git ref; write it as in R4-45`,
		"a b":     `! modules.epics-base: "a b" is not a legal git ref; `,
		`x\y`:     `! modules.epics-base: "x\\y" is not a legal git ref; `,
	} {
		tree := fstest.MapFS{
			"generic-iocs/support/epics-base.yaml": {Data: []byte("git: https://h/x\nmacro: EPICS_BASE\n")},
			file: {
				Data: []byte("from: debian:trixie\nmodules:\n  epics-base: " + ref + "\n"),
			},
		}
		got, err := recipefile.Read(tree)
		if fault, refused := strings.CutPrefix(want, "! "); refused {
			require.Len(t, diag.All(err), 1, ref)
			assert.ErrorContains(t, err, file+":3: "+fault, ref)
			continue
		}
		require.NoError(t, err, ref)
		assert.Equal(t, want, got.Images["epics-base"].Modules[0].Ref)
	}
}

// A check that can't fail, or can't pass, is refused where it stands.
func TestChecksOfASmokeTest(t *testing.T) {
	for check, want := range map[string]string{
		"{pv: A}": "", "{pv: A, min: 1, max: 1}": "", "{pv: A, put: '1', max: 1.0}": "", "{pv: A, put: '1', advances: true}": "",
		"{pv: A, put: '', value: ''}": "", "{pv: A, put: '1', reads: B, value: '1'}": "", "{pv: A, min: -1.0e-300}": "",
		"{pv: A, put: '1'}":                   "it writes to A and then compares nothing; add value, or min and max",
		"{pv: A, put: '1', units: mm}":        "it writes to A and then compares nothing; ",
		"{pv: A, reads: B}":                   "reads without put: nothing is written to A; name that PV in pv, or add put",
		"{pv: A, value: '1', min: 1}":         "the value of A must be one and also in a range or another; keep one of them",
		"{pv: A, value: '1', advances: true}": "the value of A must be one and also in a range or another; ",
		"{pv: A, min: 2, max: 1}":             "no value of A is both at least 2 and at most 1; exchange them",
		`{pv: A, value: "a\nb"}`:              "a text of several lines can't be compared with A; write one line",
		`{pv: A, put: "a\rb", value: a}`:      "a text of several lines can't be compared with A; write one line",
		"{pv: A, min: 1.0e-9999999}":          "the number 1.0e-9999999 is too big or too small; ",
		"{pv: A, severity: minor}":            `smoke.checks.severity: "minor" is none of NO_ALARM, MINOR, MAJOR, INVALID; did you mean "MINOR"?`,
	} {
		tree := site(t)
		const file = "generic-iocs/ioc-motorsim/image.yaml"
		tree[file] = &fstest.MapFile{Data: []byte("from: epics-modules 4.45r1.0\nioc: {modules: [motor]}\n" +
			"smoke:\n  config: smoke\n  checks:\n    - {pv: SIM}\n    - " + check + "\n")}
		_, err := recipefile.Read(tree)
		if want == "" {
			require.NoError(t, err, check)
			continue
		}
		require.Len(t, diag.All(err), 1, "%s: %v", check, err)
		require.ErrorContains(t, err, file+":7: "+want, check)
	}
}
