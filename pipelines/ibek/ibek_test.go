package ibek_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ibek"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
)

var update = flag.Bool("update", false, "write what was converted as what is wanted")

// catalogue returns the files of a catalogue, and the one that says what is wanted.
func catalogue(t *testing.T) (fstest.MapFS, *txtar.Archive, *txtar.File) {
	t.Helper()
	archive, err := txtar.ParseFile("testdata/site.txtar")
	require.NoError(t, err)
	files := fstest.MapFS{}
	last := len(archive.Files) - 1
	for _, f := range archive.Files[:last] {
		files[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	return files, archive, &archive.Files[last]
}

// TestRead converts a catalogue with all that the form has, and compares each module
// with its notes and files.
func TestRead(t *testing.T) {
	files, archive, want := catalogue(t)
	modules, err := ibek.Read(files, "module.schema.json")
	require.NoError(t, err)
	var got strings.Builder
	tree := fstest.MapFS{
		"generic-iocs/support/epics-base.yaml": {Data: []byte("git: https://a/b\nmacro: EPICS_BASE\n")},
	}
	for _, m := range modules {
		fmt.Fprintf(&got, "%s %s %s %s\n", m.Name, m.Ref, m.State, m.File)
		for _, n := range m.Open {
			fmt.Fprintf(&got, "! %s\n", n.In(m.File))
		}
		for _, name := range slices.Sorted(maps.Keys(m.Files)) {
			fmt.Fprintf(&got, "> %s\n%s", name, m.Files[name])
			tree[name] = &fstest.MapFile{Data: []byte(m.Files[name])}
		}
	}
	if *update {
		want.Data = []byte(got.String())
		require.NoError(t, os.WriteFile("testdata/site.txtar", txtar.Format(archive), 0o644))
	}
	require.Equal(t, string(want.Data), got.String())

	read, err := recipefile.Read(tree)
	require.NoError(t, err)
	require.Equal(t, []string{"scale"}, read.Modules["scaleVendor"].Needs)
	require.Equal(t, []string{"vendor.patch"}, read.Modules["scaleVendor"].Patches)
}

// A folder without a catalogue is refused, and says what one looks like.
func TestNoCatalogue(t *testing.T) {
	_, err := ibek.Read(fstest.MapFS{"asyn.install.yml": {}}, "")
	require.ErrorContains(t, err, "it has no <module>/<module>.install.yml; name the folder of a catalogue")
	assert.Equal(t, diag.Invalid, diag.KindOf(err))
}

// What a tree has is left alone, and said to be there, the recipe before its patch.
func TestKept(t *testing.T) {
	files, _, _ := catalogue(t)
	modules, err := ibek.Read(files, "")
	require.NoError(t, err)
	for _, m := range modules {
		switch kept := m.Kept(fstest.MapFS{recipe.ModulePath("scale"): {}}); m.Name {
		case "scale":
			assert.Equal(t, ibek.There, kept.State)
			assert.Empty(t, kept.Files)
		default:
			assert.Equal(t, m, kept)
		}
	}
	m := one(t, "module: x\nversion: R1\npatch_file: {path: x.patch, when: true}\n", fstest.MapFS{"x/x.patch": {}})
	for range 20 {
		kept := m.Kept(fstest.MapFS{recipe.PatchPath("x.patch"): {}, recipe.ModulePath("x"): {}})
		require.Equal(
			t,
			[]ibek.Note{{Text: recipe.PatchPath("x.patch") + " is there, and nothing is overwritten"}},
			kept.Open,
		)
	}
}

// one converts a catalogue of one module, x.
func one(t *testing.T, text string, more fstest.MapFS) ibek.Module {
	t.Helper()
	files := fstest.MapFS{"x/x.install.yml": {Data: []byte(text)}}
	maps.Copy(files, more)
	modules, err := ibek.Read(files, "")
	require.NoError(t, err)
	require.Len(t, modules, 1)
	return modules[0]
}

// Two modules that call their patches by one name have two.
func TestPatchesOfOneName(t *testing.T) {
	files := fstest.MapFS{}
	for _, name := range []string{"a", "b", "c"} {
		patch := map[string]string{"a": "gcc14.patch", "b": "fixes/gcc14.patch", "c": "c.patch"}[name]
		files[name+"/"+name+".install.yml"] = &fstest.MapFile{
			Data: []byte("module: " + name + "\nversion: R1\npatch_file:\n  path: " + patch + "\n  when: true\n"),
		}
		files[name+"/"+patch] = &fstest.MapFile{Data: []byte("patch of " + name + "\r\n\xff")}
	}
	modules, err := ibek.Read(files, "")
	require.NoError(t, err)
	all := map[string]string{}
	for _, m := range modules {
		for name, text := range m.Files {
			require.NotContains(t, all, name, "one file of two modules")
			all[name] = text
		}
	}
	for patch, of := range map[string]string{"a-gcc14.patch": "a", "b-gcc14.patch": "b", "c.patch": "c"} {
		assert.Equal(t, "patch of "+of+"\r\n\xff", all[recipe.PatchPath(patch)])
		read, err := recipefile.ReadModule(of, []byte(all[recipe.ModulePath(of)]))
		require.NoError(t, err)
		assert.Equal(t, []string{patch}, read.Patches)
	}
}

const head = "module: x\nversion: R1\n"

// oddFiles are the cases of TestOddFiles.
var oddFiles = map[string]struct {
	text  string
	state ibek.State
	notes []string
	has   string
}{
	"Windows": {
		strings.ReplaceAll("# c\n\n"+head+"\npatch_blocks:\n  - path: configure/CONFIG_SITE\n    block: |\n"+
			"      A=1\n\n      B = 2\n", "\n", "\r\n"), ibek.Wholly, nil,
		"config:\n  - \"A=1\" # x/x.install.yml:9\n  - \"B = 2\" # x/x.install.yml:11\n",
	},
	"a mark": {"\xef\xbb\xbf" + head, ibek.Wholly, nil, "macro: X # from the module's name\n"},
	"an old URL": {
		head + "git_repo: http://github.com/a/x\n",
		ibek.Wholly,
		nil,
		"git: https://github.com/a/x\n",
	},
	"a slash": {
		head + "organization: https://git.example.org/a//\n",
		ibek.Wholly,
		nil,
		"git: https://git.example.org/a/x\n",
	},
	"empty":      {"", ibek.Not, []string{"x/x.install.yml:1: the file is empty"}, ""},
	"comments":   {"# module: x\n", ibek.Not, []string{"x/x.install.yml:1: the file is empty"}, ""},
	"no version": {"module: x\n", ibek.Not, []string{`x/x.install.yml:1: the key "version" is missing`}, ""},
	"no name": {
		"module: \nversion: R1\n",
		ibek.Not,
		[]string{"x/x.install.yml:1: module: it has no value"},
		"",
	},
	"an empty name": {
		"module: ''\nversion: R1\n",
		ibek.Partly,
		[]string{"x/x.install.yml:1: module: it is empty"},
		"git: ",
	},
	"a folder's": {"module: ../x\nversion: R1\n", ibek.Not, []string{`"../x" can't be its name: only letters`}, ""},
	"by SSH": {
		head + "git_repo: git@github.com:a/x\n",
		ibek.Not,
		[]string{"is not a legal URL of a git repository"},
		"",
	},
	"twice": {head + "version: R2\n", ibek.Partly, []string{`x/x.install.yml:3: key "version" is already on line 2`}, ""},
	"an anchor": {
		head + "dbds: &d [x.dbd]\nlibs: *d\n",
		ibek.Partly,
		[]string{"x/x.install.yml:3: anchors (&)", "x/x.install.yml:4: aliases (*)"},
		"  - x.dbd # x/x.install.yml:3\n",
	},
	"a merge": {
		head + "<<: {macro: Y}\n",
		ibek.Partly,
		[]string{"x/x.install.yml:3: merge keys (<<)"},
		"macro: X #",
	},
	"a number": {
		head + "libs: [x, 1.10]\n",
		ibek.Partly,
		[]string{"x/x.install.yml:3: libs: the number 1.10"},
		"  - x #",
	},
	"a patch upward": {
		head + "patch_file: {path: ../../etc/passwd, when: true}\n",
		ibek.Partly,
		[]string{"applies ../../etc/passwd, which can't be read"},
		"",
	},
	"a patch of no name": {head + "patch_file: {when: true}\n", ibek.Partly, []string{"which can't be read"}, ""},
	"an include":         {head + "patch_lines: [{path: configure/CONFIG_SITE.local, line: include $(X)/y}]\n", ibek.Partly, []string{`has "include $(X)/y", which sets no variable`}, ""},
	"of every build": {
		head + "patch_lines: [{path: configure/CONFIG_SITE, line: CHECK_RELEASE = NO}]\n",
		ibek.Wholly,
		nil,
		"# Without CHECK_RELEASE: x/x.install.yml:3: ",
	},
	"the same twice": {
		head + "libs: [x, x]\ndbds: [x.dbd, x.dbd]\n",
		ibek.Wholly,
		nil,
		"libs:\n  - x # x/x.install.yml:3\n",
	},
	"a condition": {
		head + "scripts: [{path: a.sh, when: '{{ x }}'}]\n",
		ibek.Partly,
		[]string{"scripts runs a.sh; make a patch"},
		"",
	},
	"never": {
		head + "scripts: [{path: a.sh, when: 'FALSE'}, {path: b.sh, when: '{{ is_rtems|bool }}'}]\n",
		ibek.Wholly,
		nil,
		"# Without scripts: ",
	},
}

// Files as other editors and other catalogues write them.
func TestOddFiles(t *testing.T) {
	for name, c := range oddFiles {
		t.Run(name, func(t *testing.T) {
			m := one(t, c.text, nil)
			var notes []string
			for _, n := range m.Open {
				notes = append(notes, n.In(m.File))
			}
			require.Equal(t, c.state, m.State, notes)
			require.Len(t, notes, len(c.notes), notes)
			for i := range notes {
				assert.Contains(t, notes[i], c.notes[i])
			}
			if c.state == ibek.Not {
				assert.Empty(t, m.Files)
				return
			}
			assert.Contains(t, m.Files[recipe.ModulePath("x")], c.has)
			for _, n := range notes {
				assert.Contains(t, m.Files[recipe.ModulePath("x")], "# TODO "+n, "it stays in the file")
			}
		})
	}
}

// Whatever a catalogue has, each of its files is accounted for, and what is written is
// a recipe.
func FuzzRead(f *testing.F) {
	archive, err := txtar.ParseFile("testdata/site.txtar")
	require.NoError(f, err)
	for _, file := range archive.Files {
		if strings.HasSuffix(file.Name, ".install.yml") {
			f.Add(file.Data)
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		modules, err := ibek.Read(fstest.MapFS{
			"x/x.install.yml": {Data: text},
			"y/y.install.yml": {Data: []byte("module: y\nversion: R1\nlibs: [y, yMore]\n")},
		}, "")
		require.NoError(t, err)
		require.Len(t, modules, 2)
		for _, m := range modules {
			require.Equal(t, m.State == ibek.Not, len(m.Files) == 0)
			require.Equal(t, m.State == ibek.Wholly, len(m.Open) == 0)
			for name, text := range m.Files {
				if name == recipe.ModulePath(m.Name) {
					_, err := recipefile.ReadModule(m.Name, []byte(text))
					require.NoError(t, err)
				}
			}
		}
	})
}
