package newmodule

import (
	"flag"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
)

var update = flag.Bool("update", false, "write what was described as what is wanted")

// known are the modules that there are recipes for.
var known = map[string]*recipe.Module{
	"epics-base": {Name: "epics-base", Macro: "EPICS_BASE", Libs: []string{"qsrv"}},
	"scale":      {Name: "scale", Macro: "SCALE", Libs: []string{"scale"}},
	"limit":      {Name: "limit", Macro: "LIMIT", Libs: []string{"limit"}},
	"raw":        {Name: "raw", Macro: "RAW", Libs: []string{"raw"}},
	"settings":   {Name: "settings", Macro: "SETTINGS", Libs: []string{"settings"}},
}

// TestDescribe describes a source and what its build gave, in shapes that real
// modules have; each line of the recipe is compared with its evidence.
func TestDescribe(t *testing.T) {
	archives, err := filepath.Glob("testdata/*.txtar")
	require.NoError(t, err)
	require.NotEmpty(t, archives)
	for _, file := range archives {
		name := strings.TrimSuffix(filepath.Base(file), ".txtar")
		t.Run(name, func(t *testing.T) {
			archive, err := txtar.ParseFile(file)
			require.NoError(t, err)
			src := fstest.MapFS{}
			var built string
			var want *txtar.File
			for i, f := range archive.Files {
				switch name, source := strings.CutPrefix(f.Name, "src/"); {
				case source:
					src[name] = &fstest.MapFile{Data: f.Data}
				case f.Name == "built":
					built = string(f.Data)
				default:
					want = &archive.Files[i]
				}
			}
			r, err := Describe(src, "https://git.example.org/"+name+".git", "R1-0", Given{}, known)
			require.NoError(t, err)
			r.Complete(ReadBuilt(built, "/m"), []string{"base.dbd"}, nil)
			if *update {
				want.Data = []byte(r.Text("module.schema.json"))
				require.NoError(t, os.WriteFile(file, txtar.Format(archive), 0o644))
			}
			require.Equal(t, string(want.Data), r.Text("module.schema.json"))
			readable(t, r)
		})
	}
}

// readable reads a recipe as Tagline reads it, and finds what was described.
func readable(t *testing.T, r *Recipe) {
	t.Helper()
	got, err := recipefile.ReadModule(r.Name, []byte(r.Text("module.schema.json")))
	require.NoError(t, err)
	require.Equal(t, &recipe.Module{
		Name: r.Name, File: recipe.ModulePath(r.Name), Git: r.Git, Macro: r.Macro.Value, Licence: r.Licence.Value,
		Submodules: values(r.Submodules), Needs: values(r.Needs), Packages: values(r.Packages),
		Config: values(r.Config), Skip: values(r.Skip), DBDs: values(r.DBDs), Libs: values(r.Libs),
		Files: values(r.Files), Lines: got.Lines,
	}, got)
}

// values returns facts without their evidence.
func values(facts []Fact) (all []string) {
	for _, f := range facts {
		all = append(all, f.Value)
	}
	return all
}

// own is the source of a module that asks for much.
func own() fstest.MapFS {
	return fstest.MapFS{
		"configure/RELEASE": {Data: []byte("SCALE=/x/scale\nRAW=/x/raw\n")},
		".gitmodules":       {Data: []byte("[submodule \"v\"]\n\tpath = v\n\turl = ../v.git\n")},
	}
}

// What a person says goes before what the source says, and nothing is asked then.
func TestGivenGoesFirst(t *testing.T) {
	r, err := Describe(own(), "https://git.example.org/own", "main", Given{
		Name: "mine", Macro: "MINE", Licence: "MIT", Submodules: []string{"v"}, Needs: []string{"limit"},
		Packages: []string{"libx-dev"}, Config: []string{"A = \"b\""}, Skip: []string{"iocs"}, Without: []string{"raw"},
		Ask: func(q Question) (string, error) { t.Errorf("asked %s", q); return "", nil },
	}, known)
	require.NoError(t, err)
	require.Equal(t, "mine MINE MIT", r.Name+" "+r.Macro.Value+" "+r.Licence.Value)
	require.Equal(t, []string{"limit", "scale"}, values(r.Needs))
	require.Equal(t, []string{"raw"}, values(r.Without))
	require.Empty(t, r.Open)
	r.Complete(Built{Libs: map[string][]string{"a": nil, "b": {"a"}}}, nil, []string{"a"})
	require.Equal(t, []string{"b"}, values(r.Libs))
	require.Equal(t, []string{"raw", "a"}, values(r.Without))
	readable(t, r)
}

// What nothing says is asked; without an answer it is marked, with what is done.
func TestWhatNothingSaysIsAsked(t *testing.T) {
	answers := map[string]string{"macro": "OWNER", "submodules": "v, w"}
	var asked []string
	r, err := Describe(own(), "https://git.example.org/own", "main", Given{Ask: func(q Question) (string, error) {
		asked = append(asked, q.Of)
		return answers[q.Of], nil
	}}, known)
	require.NoError(t, err)
	assert.Equal(t, []string{"macro", "submodules", "licence"}, asked)
	assert.Equal(t, []string{"OWNER", "v", "w"}, append(values([]Fact{r.Macro}), values(r.Submodules)...))
	require.Len(t, r.Open, 1)
	assert.Contains(t, r.Text("s"), "\n# TODO licence: no file of the source says it in words known here; ")
	assert.Contains(t, r.Text("s"), " Until then it is left out.\n")
	readable(t, r)

	_, err = Describe(own(), "u", "main", Given{Ask: func(Question) (string, error) { return "", fs.ErrClosed }}, known)
	assert.ErrorIs(t, err, fs.ErrClosed)
}

// A dbd that can't be linked, or lacks a record type, is left out with the reason, and
// what it includes is kept for itself.
func TestDBDs(t *testing.T) {
	const dbds = "@dbd /m all.dbd\ninclude \"good.dbd\"\ninclude \"far.dbd\"\n" +
		"@dbd /m good.dbd\nregistrar(good)\n@dbd /m far.dbd\nregistrar(far)\n" +
		"@dbd /m more.dbd\ndevice(ai, INST_IO, devMore, \"more\")\n@dbd /m other.dbd\ndevice(bi, INST_IO, devMore, \"o\")\n" +
		"@dbd /m gone.dbd\ninclude \"nowhere.dbd\"\n@dbd /base base.dbd\nrecordtype(ai) {}\n"
	for name, c := range map[string]struct {
		symbols, kept, without string
	}{
		"all linked":  {"func_good func_far dset_devMore", "all.dbd more.dbd", "gone.dbd other.dbd"},
		"one is not":  {"func_good dset_devMore", "good.dbd more.dbd", "all.dbd far.dbd gone.dbd other.dbd"},
		"none looked": {"", "all.dbd more.dbd", "gone.dbd other.dbd"},
	} {
		t.Run(name, func(t *testing.T) {
			r, text := &Recipe{}, dbds+"@symbols\n"
			for _, symbol := range strings.Fields(c.symbols) {
				text += "pvar_" + symbol + "\n"
			}
			r.Complete(ReadBuilt(text, "/m"), []string{"base.dbd"}, nil)
			assert.Equal(t, c.kept, strings.Join(values(r.DBDs), " "))
			assert.Equal(t, c.without, strings.Join(values(r.Without), " "))
			for _, w := range r.Without {
				assert.NotEmpty(t, w.Why)
			}
		})
	}
}

// A source may hold anything: it is described, and what is written is a recipe, or the
// value that can't be one is named.
func FuzzDescribe(f *testing.F) {
	f.Add(
		"A=$(TOP)\nSCALE=/x", "a_LIBS += scale\n", "[submodule \"x\"]\npath = x", "MIT", "MODULES=\"raw x\"",
		"@dbd /m a.dbd\nregistrar(a)\n@lib liba.so\nNEEDED libb.so",
	)
	f.Add(
		"SCALE \x00= /a:b\n", "x_LIBS=$(RAW)\\\n", "[", "GNU GENERAL PUBLIC LICENSE", "",
		"@dbd\n@lib \n@dbd /m b\"c.dbd\ninclude \"b.dbd\"\n@lib lib\u2028a.so",
	)
	f.Fuzz(func(t *testing.T, release, makefile, modules, licence, set, built string) {
		src := fstest.MapFS{}
		for name, text := range map[string]string{
			"configure/RELEASE": release, "src/Makefile": makefile, ".gitmodules": modules, "LICENSE": licence,
			".ci-local/a.set": set,
		} {
			src[name] = &fstest.MapFile{Data: []byte(text), Mode: fs.ModePerm}
		}
		r, err := Describe(src, "https://git.example.org/own", "main", Given{}, known)
		require.NoError(t, err)
		r.Complete(ReadBuilt(built, "/m"), nil, nil)
		if _, err := recipefile.ReadModule(r.Name, []byte(r.Text("s"))); err != nil {
			// A name that the schema refuses is refused, and breaks no line.
			require.NotContains(t, err.Error(), "could not be read")
		}
		lines := strings.Count(r.Text("s"), "\n")
		require.Equal(t, lines, len(strings.Split(strings.TrimSpace(r.Text("s")), "\n")))
	})
}
