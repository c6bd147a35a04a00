package release

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"dagger.io/dagger"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/debian"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/newmodule"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// workingCopy is a tree whose one generic IOC is built on a release, with the recipes
// of a module that it builds and of one that nothing builds.
func workingCopy() fstest.MapFS {
	files := fstest.MapFS{}
	for name, text := range map[string]string{
		"support/epics-base.yaml": "git: https://git.example.org/base\nmacro: EPICS_BASE\ndbds: [base.dbd]\n",
		"support/scale.yaml":      "git: https://git.example.org/scale\nmacro: SCALE\ndbds: [scale.dbd]\n",
		"support/raw.yaml":        "git: https://git.example.org/raw\nmacro: RAW\n",
		"ioc-x/image.yaml": "from: epics-base 7.0.8.1r1.0\nmodules: {scale: R1-0}\nioc: {modules: [scale]}\n" +
			"smoke: {config: smoke, checks: [{pv: \"A:B\"}]}\n",
		"ioc-x/smoke/st.cmd": "dbLoadDatabase \"/epics/ioc/dbd/ioc.dbd\"\nioc_registerRecordDeviceDriver(pdbbase)\niocInit\n",
	} {
		files["generic-iocs/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	return files
}

// standIn is a trial in which the engine's work is done by the test.
type standIn struct {
	*trial
	source fstest.MapFS
	built  string // what the inspection prints
	fails  error  // of the build
	test   record.Test
	seen   []*recipe.Tree // what was built and proved
}

func newStandIn(files fs.FS, w NewModule) *standIn {
	if w.URL == "" {
		w.URL, w.Ref = "https://git.example.org/axis.git", "R1-0"
	}
	s := &standIn{
		trial: newTrial(Builder{}, files, w),
		source: fstest.MapFS{
			"configure/RELEASE":     {Data: []byte("SCALE=/x/scale\nAXIS=/x/axis\n")},
			"configure/CONFIG_SITE": {Data: []byte("#WITH_FAST=YES\n")},
			"LICENSE":               {Data: []byte("EPICS Open License")},
		},
		built: "@dbd /epics/support/axis axis.dbd\nregistrar(axis)\n@lib libaxis.so\n",
		test:  record.Test{Passed: true, Evidence: []string{"started, 1 PVs, stopped with exit status 0", "more"}},
	}
	s.base = func(context.Context) error {
		base := &recipe.Image{Name: "epics-base", Base: "debian", Modules: []recipe.ModuleRef{{Name: recipe.Base}}}
		s.below = recipe.Below{Images: []*recipe.Image{base}, Modules: map[string]*recipe.Module{
			recipe.Base: {Name: recipe.Base, Macro: "EPICS_BASE", DBDs: []string{"base.dbd"}},
		}}
		return nil
	}
	s.fetch = func(_ context.Context, _ *recipe.Module, read func(fs.FS) error) error { return read(s.source) }
	s.build = func(_ context.Context, tree *recipe.Tree) (string, error) {
		s.seen = append(s.seen, tree)
		return s.built, s.fails
	}
	s.prove = func(_ context.Context, tree *recipe.Tree) (*record.Test, error) {
		s.seen = append(s.seen, tree)
		return &s.test, nil
	}
	return s
}

// A module is built with its needs, and proved with all that was found; what is written
// is read again as what was proved.
func TestANewModuleIsBuiltAndProved(t *testing.T) {
	files := workingCopy()
	s := newStandIn(files, NewModule{})
	text, err := s.run(t.Context())
	require.NoError(t, err)
	require.Len(t, s.seen, 2)
	assert.Empty(t, s.seen[0].Modules["axis"].DBDs, "nothing is promised before the build")
	assert.Equal(t, []recipe.ModuleRef{{Name: "scale", Ref: "R1-0"}, {Name: "axis", Ref: "R1-0"}}, s.img.Modules)
	assert.Equal(t, []string{"epics-base", "scale", "axis"}, s.seen[1].IOCModules(s.img))
	assert.Equal(t, []string{"base.dbd", "scale.dbd"}, s.dbdsBelow(s.seen[1]))
	assert.Contains(t, text, "\n# Proof: on epics-base 7.0.8.1r1.0 an IOC with it links and boots: started, 1 PVs, ")

	files[recipe.ModulePath("axis")] = &fstest.MapFile{Data: []byte(text)}
	tree, err := recipefile.Read(files)
	require.NoError(t, err)
	proved := *s.seen[1].Modules["axis"]
	proved.Lines = tree.Modules["axis"].Lines // there is one more
	assert.Equal(t, &proved, tree.Modules["axis"])
	_, err = newStandIn(files, NewModule{}).run(t.Context())
	require.ErrorContains(t, err, "support/axis.yaml: it is there already, and nothing is overwritten")
}

// What can't be tried out is refused before anything is built, and what is missing is
// named.
func TestWhatCantBeTriedOut(t *testing.T) {
	named := func(url string, change ...func(*NewModule)) NewModule {
		w := NewModule{URL: url, Ref: "R1-0"}
		for _, c := range change {
			c(&w)
		}
		return w
	}
	const url = "https://git.example.org/axis"
	for name, c := range map[string]struct {
		NewModule
		says string
	}{
		"a login":    {named("https://me:secret@git.example.org/axis"), "git"},
		"no name":    {named("https://git.example.org/a.b"), `"a.b" can't be its name`},
		"an option":  {NewModule{URL: url, Ref: "--upload-pack"}, "is no git ref"},
		"a bad line": {named(url, func(w *NewModule) { w.Config = []string{"TIRPC"} }), "config"},
		"no parent":  {named(url, func(w *NewModule) { w.From = "epics-base" }), "epics-base"},
		"an unknown need": {
			named(url, func(w *NewModule) { w.Needs = []string{"gone"} }),
			"there is no recipe of that; describe it first",
		},
		"a need without a ref": {
			named(url, func(w *NewModule) { w.Needs = []string{"raw"} }), "as in --need raw=R1-0",
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStandIn(workingCopy(), c.NewModule)
			text, err := s.run(t.Context())
			require.ErrorContains(t, err, c.says)
			assert.NotContains(t, err.Error(), "secret")
			assert.Equal(t, diag.Invalid, diag.KindOf(err))
			assert.Empty(t, text)
			assert.Empty(t, s.seen)
		})
	}
	s := newStandIn(workingCopy(), named(url, func(w *NewModule) { w.Needs = []string{"raw=R2-0"} }))
	_, err := s.run(t.Context())
	require.NoError(t, err)
	assert.Contains(t, s.img.Modules, recipe.ModuleRef{Name: "raw", Ref: "R2-0"})
}

// A person is asked for the ref of a need, once.
func TestTheRefOfANeedIsAskedFor(t *testing.T) {
	var asked []string
	s := newStandIn(workingCopy(), NewModule{Given: newmodule.Given{
		Needs: []string{"raw"}, Ask: func(q newmodule.Question) (string, error) {
			asked = append(asked, q.Of)
			return "R3-0", nil
		},
	}})
	_, err := s.run(t.Context())
	require.NoError(t, err)
	assert.Equal(t, []string{"raw"}, asked)
	assert.Contains(t, s.img.Modules, recipe.ModuleRef{Name: "raw", Ref: "R3-0"})
}

// A build that fails names what it was done without; a proof that fails shows what it
// was of.
func TestWhatFailedIsShown(t *testing.T) {
	s := newStandIn(workingCopy(), NewModule{})
	s.source["configure/RELEASE"].Data = []byte("SNCSEQ=/x/seq\nAXIS=/x/axis\n")
	s.fails = &diag.Error{
		Kind: diag.Broken, Doing: "building axis R1-0 for", Asset: "probe-axis", File: "generic-iocs/support/axis.yaml",
		Err: &dagger.ExecError{Cmd: []string{"make"}, ExitCode: 2},
	}
	text, err := s.run(t.Context())
	assert.Empty(t, text)
	require.ErrorContains(t, err, "trying out axis R1-0: building axis R1-0: ")
	assert.ErrorContains(t, err, "it was built without SNCSEQ, which it may need")
	assert.ErrorContains(t, err, "its configure/CONFIG_SITE has WITH_FAST")

	s = newStandIn(workingCopy(), NewModule{})
	s.test = record.Test{Faults: []string{"st.cmd: no"}, Log: "iocInit\nioc: crashed"}
	text, err = s.run(t.Context())
	require.ErrorContains(t, err, "an IOC with it does not boot; leave out with --without")
	assert.ErrorContains(t, err, "\n  st.cmd: no\n    its last log lines:\n      iocInit\n      ioc: crashed")
	assert.Contains(t, text, "dbds:\n  - axis.dbd #")
	assert.NotContains(t, text, "# Proof")

	gone := &diag.Error{Kind: diag.Broken, Doing: "building", Err: errors.New("no engine"), Fix: "start it"}
	s.prove = func(context.Context, *recipe.Tree) (*record.Test, error) { return nil, gone }
	_, err = s.run(t.Context())
	assert.ErrorIs(t, err, gone)
	assert.NotContains(t, err.Error(), "--without")

	s = newStandIn(workingCopy(), NewModule{})
	no := &debian.MissingError{Packages: []string{"libpcre3-dev"}}
	s.fails = diag.Invalidf("generic-iocs/support/axis.yaml", 6, "correct the name, or take it out", "%w", no)
	_, err = s.run(t.Context())
	require.EqualError(t, err, "describing axis: Debian has no package libpcre3-dev; leave it out with "+
		"--without libpcre3-dev, and name another with --package", "its file is not there yet")
}

// What it is tried on is what the generic IOCs are built on, where that is one image.
func TestWhatItIsTriedOn(t *testing.T) {
	const other = "from: ioc-parent 2.0\nioc: {modules: [scale]}\nsmoke: {config: smoke, checks: [{pv: \"A:B\"}]}\n"
	root := fstest.MapFS{
		"generic-iocs/support/epics-base.yaml":    workingCopy()["generic-iocs/support/epics-base.yaml"],
		"generic-iocs/epics-base/image.yaml":      {Data: []byte("from: debian:trixie\nmodules: {epics-base: R7}\n")},
		"generic-iocs/epics-base/image.lock.yaml": {},
	}
	two := workingCopy()
	maps.Copy(two, fstest.MapFS{
		"generic-iocs/ioc-y/image.yaml":   {Data: []byte(other)},
		"generic-iocs/ioc-y/smoke/st.cmd": two["generic-iocs/ioc-x/smoke/st.cmd"],
	})
	for name, c := range map[string]struct {
		files      fs.FS
		from, want string
	}{
		"their parent":      {workingCopy(), "", "epics-base 7.0.8.1r1.0"},
		"the only image":    {root, "", "epics-base"},
		"one of the tree":   {two, "ioc-x", "ioc-x"},
		"a release":         {two, "ioc-parent 2.0", "ioc-parent 2.0"},
		"two to choose":     {two, "", `name one with --from: "epics-base 7.0.8.1r1.0", "ioc-parent 2.0"; or an`},
		"nothing to choose": {fstest.MapFS{}, "", `name it with --from: a release as in "epics-base`},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStandIn(c.files, NewModule{From: c.from})
			if err := s.plan(); err != nil {
				assert.ErrorContains(t, err, c.want)
				return
			}
			assert.Equal(t, c.want, s.From)
			assert.Equal(t, c.want, strings.TrimSpace(s.img.Parent.String()))
		})
	}
}
