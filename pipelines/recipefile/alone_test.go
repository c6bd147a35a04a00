package recipefile_test

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
	"github.com/tagline-ci/tagline/pipelines/startup"
)

// What an image is built on may be named in many ways, and must have a version.
func TestFrom(t *testing.T) {
	const file = "generic-iocs/epics-base/image.yaml"
	sevens := "@sha256:" + strings.Repeat("7", 64)
	for from, want := range map[string]string{
		"debian:trixie":                      "",
		"debian" + sevens:                    "",
		"debian:trixie" + sevens:             "",
		"ghcr.io:443/some-org/base:1.0_x":    "",
		"debian":                             `"debian" has no version; write debian:<tag> for a container image, or debian <version> for a generic IOC image`,
		"ghcr.io:443/some-org/base":          `"ghcr.io:443/some-org/base" has no version; write ghcr.io:443/some-org/base:<tag> for a `,
		"debian:":                            `"debian:" is not a container image; write a container image as debian:trixie-slim, or `,
		"Debian:trixie":                      `"Debian:trixie" is not a container image; `,
		"debian@sha256:77":                   `"debian@sha256:77" is not a container image; `,
		"https://docker.io/debian:1":         `"https://docker.io/debian:1" is not a container image; `,
		"epics-base latest":                  "latest: not a version; write two to four numbers",
		"epics-base R7.0.8.1":                "R7.0.8.1: not a version; write 7.0.8.1",
		"epics--base 1.0":                    "reading pin epics--base 1.0: not an asset and a version; ",
		"Epics 1.0":                          `from: "Epics 1.0" is not a legal parent; `,
		"epics-base  1.0":                    `from: "epics-base  1.0" is not a legal parent; `,
		"a b c":                              `from: "a b c" is not a legal parent; `,
		"debian:\u00a0trixie":                `from: "debian:\u00a0trixie" is not a legal parent; `,
		"https://ada:secret@h/debian:1":      `"https://…@h/debian:1" is not a container image; `,
		strings.Repeat("a", 200) + ":trixie": "",
	} {
		tree := fstest.MapFS{
			"generic-iocs/support/epics-base.yaml": {Data: []byte("git: https://h/x\nmacro: EPICS_BASE\n")},
			file:                                   {Data: []byte("# the root\nfrom: \"" + from + "\"\n")},
		}
		got, err := recipefile.Read(tree)
		if want != "" {
			require.Len(t, diag.All(err), 1, from)
			assert.ErrorContains(t, err, file+":2: "+want, from)
			assert.NotContains(t, err.Error(), "secret")
			continue
		}
		require.NoError(t, err, from)
		assert.Equal(t, from, got.Images["epics-base"].Base)
		assert.True(t, got.Images["epics-base"].Parent.IsZero())
	}
}

// An image whose parent is not in the tree is handed back, and is not checked with it.
func TestReadAlone(t *testing.T) {
	tree := site(t)
	tree["generic-iocs/ioc-elsewhere/image.yaml"] = &fstest.MapFile{Data: []byte(
		"from: theirs 1.0\nmodules: {motor: R7-3}\nioc: {modules: [motor]}\n" +
			"startup: {within: 3m}\nsmoke:\n  config: smoke\n  restart: true\n  checks: [{pv: A}]\n" +
			"  beside: [{folder: smoke, command: [sh, run.sh]}]\n",
	)}
	tree["generic-iocs/ioc-elsewhere/smoke/st.cmd"] = &fstest.MapFile{Data: []byte("iocInit\n")}
	read, outside, err := recipefile.ReadAlone(tree)
	require.NoError(t, err)
	require.Len(t, outside, 1)
	require.Same(t, read.Images["ioc-elsewhere"], outside[0])
	assert.Equal(t, 3*time.Minute, outside[0].Startup.Duration())
	assert.Equal(t, &recipe.Smoke{
		Config: "smoke", Restart: true, Checks: []recipe.Check{{PV: "A", Line: 8}},
		Beside: []recipe.Simulator{{Folder: "generic-iocs/ioc-elsewhere/smoke", Command: []string{"sh", "run.sh"}}},
	}, outside[0].Smoke)
	assert.Equal(t, startup.Rules{}, read.Images["ioc-simstage"].Startup)

	// The same needs are refused of one whose parents are here.
	tree["generic-iocs/ioc-elsewhere/image.yaml"].Data = []byte(strings.Replace(
		string(tree["generic-iocs/ioc-elsewhere/image.yaml"].Data), "theirs 1.0", "epics-base 7.0.8.1r1.0", 1))
	_, _, err = recipefile.ReadAlone(tree)
	require.ErrorContains(t, err, "generic-iocs/ioc-elsewhere/image.yaml:2: motor needs asyn, which is built neither")
	_, err = recipefile.Read(tree)
	require.NoError(t, err, "what is released is looked at elsewhere")
}

// What should be a folder or a file, and is none, is told with the name.
func TestWhatCanNotBeRead(t *testing.T) {
	for name, c := range map[string]struct {
		files map[string]string
		want  string
	}{
		"a file for the folder": {
			map[string]string{"generic-iocs": "x"}, "generic-iocs: it can't be listed: ",
		},
		"a file for support": {
			map[string]string{"generic-iocs/support": "x"}, "generic-iocs/support: it can't be listed: ",
		},
		"no image file": {
			map[string]string{"generic-iocs/ioc-x/Image.yaml": "x"},
			"generic-iocs/ioc-x/image.yaml: every folder here is an image, and this one has no image.yaml; " +
				"add it, or move the folder out of generic-iocs",
		},
		"a name that is too long": {
			map[string]string{"generic-iocs/" + strings.Repeat("a", 64) + "/image.yaml": "from: debian:x\n"},
			"can't be an image's name: only lower-case letters, digits and -, at most 63; rename the folder, as in ioc-sim",
		},
	} {
		tree := fstest.MapFS{}
		for file, text := range c.files {
			tree[file] = &fstest.MapFile{Data: []byte(text)}
		}
		read, err := recipefile.Read(tree)
		require.Nil(t, read, name)
		require.Len(t, diag.All(err), 1, name)
		require.ErrorContains(t, err, c.want, name)
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
}

// Whoever needs whom in a ring is told once, at the one that closes it.
func TestCyclesAreToldOnce(t *testing.T) {
	module := func(macro string, needs ...string) *fstest.MapFile {
		return &fstest.MapFile{Data: []byte(
			"git: https://h/x\nmacro: " + macro + "\nneeds: [" + strings.Join(needs, ", ") + "]\n",
		)}
	}
	image := func(from string) *fstest.MapFile { return &fstest.MapFile{Data: []byte("from: " + from + " 1.0\n")} }
	_, err := recipefile.Read(fstest.MapFS{
		"generic-iocs/support/epics-base.yaml": {Data: []byte("git: https://h/x\nmacro: EPICS_BASE\n")},
		"generic-iocs/support/a.yaml":          module("A", "b", "c"),
		"generic-iocs/support/b.yaml":          module("B", "c"),
		"generic-iocs/support/c.yaml":          module("C", "d", "a"),
		"generic-iocs/support/d.yaml":          module("D"),
		"generic-iocs/support/e.yaml":          module("E", "e"),
		"generic-iocs/x/image.yaml":            image("y"),
		"generic-iocs/y/image.yaml":            image("x"),
		"generic-iocs/z/image.yaml":            image("x"),
	})
	require.EqualError(t, err, strings.Join([]string{
		"generic-iocs/support/c.yaml:3: support modules need each other: a → b → c → a; take one of these needs out",
		"generic-iocs/support/e.yaml:3: support modules need each other: e → e; take one of these needs out",
		"generic-iocs/y/image.yaml:1: images are built on each other: x → y → x; build one of them on something else",
	}, "\n"))
}
