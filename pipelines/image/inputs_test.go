package image

import (
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/debian"
	"github.com/tagline-ci/tagline/pipelines/engine"
	"github.com/tagline-ci/tagline/pipelines/inputs"
	"github.com/tagline-ci/tagline/pipelines/layout"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/source"
	"github.com/tagline-ci/tagline/pipelines/upstream"
)

// scene is an image of three modules, of which axis needs scale, and lone none of them.
type scene struct {
	Builder
	img    *recipe.Image
	lock   *lockfile.Lock
	parent *Image
	pinned map[string]*record.Source
	files  fstest.MapFS
}

var commit = strings.Repeat("0a", 20)

func newScene() *scene {
	s := &scene{
		img: &recipe.Image{
			Name: "ioc-a", Parent: assettest.Pin("base 1.0.0"), Targets: []string{"linux-aarch64"},
			Build:   []string{"gcc"},
			Modules: []recipe.ModuleRef{{Name: "scale", Ref: commit}, {Name: "axis", Ref: commit}, {Name: "lone"}},
		},
		lock: &lockfile.Lock{
			Modules: map[string]lockfile.Module{
				"scale": {Ref: commit, Commit: lockfile.Commit(commit)},
				"axis":  {Ref: commit, Commit: lockfile.Commit(commit)},
			},
			Packages: lockfile.Packages{Build: map[string]string{"gcc": "14", "libc6": "2.41"}},
		},
		parent: &Image{Digest: "sha256:1", Base: asset.Ref("debian:trixie@sha256:" + strings.Repeat("ab", 32))},
		files: fstest.MapFS{
			"generic-iocs/support/axis.patch": {Data: []byte("+a\n")}, "lone/Makefile": {Data: []byte("TOP = .\n")},
		},
		pinned: map[string]*record.Source{},
	}
	s.Files, s.Locks = s.files, map[asset.Name]*lockfile.Lock{"ioc-a": s.lock}
	s.Tree = &recipe.Tree{Images: map[asset.Name]*recipe.Image{"ioc-a": s.img}, Modules: map[string]*recipe.Module{
		"epics-base": {Name: "epics-base", Macro: "EPICS_BASE"}, // built below
		"scale":      {Name: "scale", Git: "https://example.org/scale", Macro: "SCALE"},
		"axis": {
			Name: "axis", Git: "https://example.org/axis", Macro: "AXIS", Needs: []string{"scale"},
			Patches: []string{"axis.patch"}, DBDs: []string{"axis.dbd"},
		},
		"lone": {Name: "lone", Folder: "lone", Macro: "LONE"},
	}}
	for _, ref := range s.img.Modules {
		s.pinned[ref.Name] = &record.Source{Module: ref.Name, URL: "tree", Ref: ref.Ref, Commit: commit}
	}
	return s
}

// sources returns the modules' sources with their inputs, by name.
func (s *scene) sources(t *testing.T) map[string]record.Source {
	var pinned []record.Source
	for _, ref := range s.Tree.Order(s.img) {
		pinned = append(pinned, *s.pinned[ref.Name])
	}
	all, err := s.Inputs(s.img, s.parent, pinned)
	require.NoError(t, err)
	byName := map[string]record.Source{}
	for _, src := range all {
		byName[src.Module] = src
	}
	return byName
}

func (s *scene) axis() *recipe.Module { return s.Tree.Modules["axis"] }

// locked changes what the lock says of axis.
func locked(change func(*lockfile.Module)) func(*scene) {
	return func(s *scene) {
		m := s.lock.Modules["axis"]
		change(&m)
		s.lock.Modules["axis"] = m
	}
}

// changes are, for each field of the structs that a module is built from, changes that
// its inputs must show; none of a field that does not reach the module, or that another
// stands for.
var changes = map[reflect.Type]map[string][]func(*scene){
	reflect.TypeFor[moduleInputs](): {
		"Maker":    nil, // TestTheMakerCounts
		"On":       {func(s *scene) { s.parent.Digest = "sha256:2" }},
		"Base":     {func(s *scene) { s.parent.Base = asset.Ref("a@sha256:" + strings.Repeat("cd", 32)) }},
		"Packages": {func(s *scene) { s.img.Build = nil }},
		"Versions": {func(s *scene) { s.lock.Packages.Build["libc6"] = "2.42" }},
		"Targets":  {func(s *scene) { s.img.Targets = nil }},
		"Source":   nil, // each field of it, below
		"Locked":   nil,
		"Patches": {
			func(s *scene) { s.files["generic-iocs/support/axis.patch"] = &fstest.MapFile{Data: []byte("+b\n")} },
		},
		"Closure": {
			func(s *scene) { s.Tree.Modules["scale"].Config = []string{"X = YES"} },
			func(s *scene) { s.pinned["scale"].Commit = strings.Repeat("0d", 20) },
			func(s *scene) { s.Tree.Modules["epics-base"].DBDs = []string{"base.dbd"} },
		},
	},
	reflect.TypeFor[neededInputs](): {"Recipe": nil, "Inputs": nil}, // Closure, above
	reflect.TypeFor[recipe.Module](): {
		"Name":       {func(s *scene) { s.axis().Name = "axis2" }},
		"File":       {func(s *scene) { s.axis().File = "axis.yaml" }},
		"Git":        {func(s *scene) { s.axis().Git = "https://example.org/other" }},
		"Folder":     {func(s *scene) { s.axis().Folder = "axis" }},
		"Submodules": {func(s *scene) { s.axis().Submodules = []string{"vendor"} }},
		"Macro":      {func(s *scene) { s.axis().Macro = "AXIS2" }},
		"Needs": {
			func(s *scene) { s.axis().Needs = nil }, func(s *scene) { s.axis().Needs = []string{"lone", "scale"} },
		},
		"Patches":  {func(s *scene) { s.axis().Patches = nil }},
		"Skip":     {func(s *scene) { s.axis().Skip = []string{"docs"} }},
		"Tests":    {func(s *scene) { s.axis().Tests = true }},
		"Licence":  {func(s *scene) { s.axis().Licence = "EPICS" }},
		"Packages": {func(s *scene) { s.axis().Packages = []string{"libyaml-dev"} }},
		"Config":   {func(s *scene) { s.axis().Config = []string{"A = YES"} }},
		"DBDs":     {func(s *scene) { s.axis().DBDs = []string{"other.dbd"} }},
		"Libs":     {func(s *scene) { s.axis().Libs = []string{"axis"} }},
		"Files":    {func(s *scene) { s.axis().Files = []string{"data"} }},
		"Lines":    nil, // where its file says so
	},
	reflect.TypeFor[recipe.Image](): {
		"Targets": {func(s *scene) { s.img.Targets = []string{"linux-arm"} }},
		"Build":   {func(s *scene) { s.img.Build = []string{"gcc", "gfortran"} }},
		"Modules": nil, // those in Closure, and the packages of all
		"Parent":  nil, // On
		"Base":    nil, // On
		// What does not reach a module:
		"Name": nil, "File": nil, "Run": nil, "IOC": nil, "Smoke": nil, "Startup": nil, "Lines": nil,
	},
	reflect.TypeFor[record.Source](): {
		"Module":  nil, // by which the rest is found
		"URL":     {func(s *scene) { s.pinned["axis"].URL = "https://example.org/axis" }},
		"Ref":     {func(s *scene) { s.pinned["axis"].Ref = "R2" }},
		"Commit":  {func(s *scene) { s.pinned["axis"].Commit = strings.Repeat("0b", 20) }},
		"Licence": {func(s *scene) { s.pinned["axis"].Licence = "MIT" }},
		"Inputs":  nil, // is what is found out
		"From":    nil, // follows from it
	},
	reflect.TypeFor[lockfile.Lock](): {
		"Base":     nil, // On
		"Modules":  nil, // each field, below
		"Packages": nil, // below
	},
	reflect.TypeFor[lockfile.Packages](): {
		"Build": {func(s *scene) { s.lock.Packages.Build["gcc"] = "15" }},
		"Run":   nil, // of the runtime image
	},
	reflect.TypeFor[lockfile.Module](): {
		"Ref":        {locked(func(m *lockfile.Module) { m.Ref = "R3" })},
		"Commit":     {locked(func(m *lockfile.Module) { m.Commit = "0c" })},
		"Submodules": {locked(func(m *lockfile.Module) { m.Submodules = map[string]lockfile.Commit{"vendor": "0e"} })},
	},
}

// Each field of what a module is built from, also one that is added one day, changes the
// digest of its inputs, or is named above with the reason why it does not.
func TestEachInputOfAModuleCounts(t *testing.T) {
	was := newScene().sources(t)["axis"].Inputs
	_, err := asset.ParseDigest(string(was))
	require.NoError(t, err)
	require.Equal(t, was, newScene().sources(t)["axis"].Inputs)
	seen := map[asset.Digest]string{was: "nothing"}
	for of, fields := range table(t) {
		for _, change := range fields {
			s := newScene()
			change(s)
			digest := s.sources(t)["axis"].Inputs
			require.NotContains(t, seen, digest, "%s is as %s", of, seen[digest])
			seen[digest] = of
		}
	}
}

// table returns the changes by "type.field", and refuses a field that has none.
func table(t *testing.T) map[string][]func(*scene) {
	all := map[string][]func(*scene){}
	for of, fields := range changes {
		for _, field := range reflect.VisibleFields(of) {
			name := of.Name() + "." + field.Name
			all[name] = fields[field.Name]
			_, named := fields[field.Name]
			require.True(t, named, "%s is new", name)
		}
	}
	return all
}

// A change of one module has those built again that need it, and no others.
func TestAChangeReachesWhoNeedsIt(t *testing.T) {
	was := newScene().sources(t)
	s := newScene()
	s.pinned["scale"].Commit = strings.Repeat("0d", 20)
	s.axis().Lines = map[string]int{"axis.dbd": 7}
	s.img.Smoke = &recipe.Smoke{Config: "smoke"}
	now := s.sources(t)
	require.NotEqual(t, was["scale"].Inputs, now["scale"].Inputs)
	require.NotEqual(t, was["axis"].Inputs, now["axis"].Inputs)
	require.Equal(t, was["lone"].Inputs, now["lone"].Inputs)
}

// An image of the tree whose modules are all those of a release is, for what is built on
// it, the developer image of that.
func TestAnImageThatIsAsItsRelease(t *testing.T) {
	for what, c := range map[string]struct {
		edit func(*scene, *record.Record)
		same bool
	}{
		"the same": {nil, true},
		"a module is built": {edit: func(s *scene, _ *record.Record) {
			s.pinned["lone"].Commit = strings.Repeat("0f", 20)
		}},
		"it has one more": {edit: func(_ *scene, r *record.Record) {
			r.Sources = append(r.Sources, record.Source{})
		}},
		"nothing is known":     {edit: func(s *scene, _ *record.Record) { s.parent.Digest = "" }},
		"it has an IOC":        {edit: func(s *scene, _ *record.Record) { s.img.IOC = &recipe.IOC{} }},
		"the release has one":  {edit: func(_ *scene, r *record.Record) { r.Recipe.IOC = &record.IOC{} }},
		"a package has moved":  {edit: func(s *scene, _ *record.Record) { s.lock.Packages.Build["gcc"] = "15" }},
		"no release is there":  {edit: func(s *scene, _ *record.Record) { s.Former = nil }},
		"it describes no more": {edit: func(_ *scene, r *record.Record) { r.Recipe = nil }},
	} {
		t.Run(what, func(t *testing.T) {
			s := newScene()
			s.Former = &Former{Record: &record.Record{
				Recipe:    &record.Recipe{},
				Artifacts: []record.Artifact{{Type: record.ImageType, Target: asset.Developer, Digest: "sha256:ef"}},
				Sources:   slices.Collect(maps.Values(newScene().sources(t))),
			}}
			if c.edit != nil {
				c.edit(s, s.Former.Record)
			}
			digest := s.Former.same(s.img, slices.Collect(maps.Values(s.sources(t))))
			require.Equal(t, c.same, digest == "sha256:ef")
			require.Equal(t, c.same, digest != "")
		})
	}
}

// What is built below counts as its record has it, from which it is read when it is
// released, so that the tree says the same of it.
func TestWhatIsBelowCountsAsItIsRecorded(t *testing.T) {
	was := newScene().sources(t)["axis"].Inputs
	s := newScene()
	base := s.Tree.Modules["epics-base"]
	base.File, base.Git, base.DBDs = "generic-iocs/support/epics-base.yaml", "https://example.org/base", []string{}
	require.Equal(t, was, s.sources(t)["axis"].Inputs)
}

// What is built on an image that no registry has is built, whoever has built it before.
func TestInputsThatAreNotKnown(t *testing.T) {
	s := newScene()
	s.parent.Digest = ""
	for name, src := range s.sources(t) {
		require.Empty(t, src.Inputs, name)
	}
	s = newScene()
	delete(s.files, "generic-iocs/support/axis.patch")
	_, err := s.Inputs(s.img, s.parent, []record.Source{*s.pinned["axis"]})
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// A change of what builds ends all that was built.
func TestTheMakerCounts(t *testing.T) {
	s := newScene()
	of, err := s.moduleInputs(s.img, s.parent, *s.pinned["axis"], nil)
	require.NoError(t, err)
	require.Equal(t, maker(), of.Maker)
	was := inputs.Of(of)
	of.Maker = "sha256:2"
	require.NotEqual(t, was, inputs.Of(of))
	rooms := map[string]fs.FS{
		"module.go": own, "configure.go": own, "tests.sh": own, "skipped.mk": own, "source.go": source.Source,
		"submodule.sh": source.Source, "makefile.go": upstream.Source, "install.sh": debian.Source,
		"folder.go": engine.Source, "layout.go": layout.Source, "graph.go": recipe.Source,
	}
	for file, room := range rooms {
		_, err := fs.Stat(room, file)
		require.NoError(t, err)
	}
	all := []fs.FS{
		own, source.Source, upstream.Source, debian.Source, engine.Source, layout.Source, recipe.Source,
	}
	require.Equal(t, inputs.Rooms(all...), maker())
}

// A module is taken from the release before where that has it with the same inputs; who
// built it is named, also where the release before took it.
func TestTakenFromTheReleaseBefore(t *testing.T) {
	before := record.Origin{Release: assettest.Tag("ioc-a/1.0.1"), Record: "sha256:1"}
	first := record.Origin{Release: assettest.Tag("ioc-a/1.0.0"), Record: "sha256:0"}
	for what, c := range map[string]struct {
		edit func(*record.Source) // of axis as the release before has it
		from *record.Origin
	}{
		"the same":               {from: &before},
		"taken by it":            {func(s *record.Source) { s.From = &first }, &first},
		"other inputs":           {func(s *record.Source) { s.Inputs = before.Record }, nil},
		"of an earlier Tagline":  {func(s *record.Source) { s.Inputs = "" }, nil},
		"inputs of another name": {func(s *record.Source) { s.Module = "axis2" }, nil},
	} {
		t.Run(what, func(t *testing.T) {
			had := newScene().sources(t)
			axis := had["axis"]
			if c.edit != nil {
				c.edit(&axis)
			}
			had["axis"] = axis
			s := newScene()
			s.Former = &Former{Record: &record.Record{}, Origin: before}
			for src := range maps.Values(had) {
				s.Former.Record.Sources = append(s.Former.Record.Sources, src)
			}
			now := s.sources(t)
			require.Equal(t, c.from, now["axis"].From)
			require.Equal(t, &before, now["lone"].From)
			s.parent.Digest = ""
			require.Nil(t, s.sources(t)["lone"].From, "nothing is known of it")
		})
	}
}
