package lineage_test

import (
	"io/fs"
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/lineage"
	"github.com/tagline-ci/tagline/pipelines/lockfile"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
	"github.com/tagline-ci/tagline/pipelines/registry/registrytest"
	"github.com/tagline-ci/tagline/pipelines/sign"
	"github.com/tagline-ci/tagline/pipelines/strictyaml/faultcase"
)

// shelf is a registry of one test.
type shelf struct {
	t *testing.T
	lineage.Reader
}

func newShelf(t *testing.T) shelf {
	reg, err := registry.New(registrytest.Serve(t, nil), registry.Options{})
	require.NoError(t, err)
	return shelf{t, lineage.Reader{Registry: reg}}
}

// release seals the release of an image of a tree, of any content, after change.
func (s shelf) release(files fs.FS, pin string, change func(*record.Record)) *record.Record {
	p := assettest.Pin(pin)
	tree, err := recipefile.Read(files)
	require.NoError(s.t, err)
	img := tree.Images[p.Asset]
	rec := &record.Record{
		Schema: record.Schema, Kind: asset.Image, Asset: p.Asset, Version: p.Version, Tag: p.Tag(),
		Commit: strings.Repeat("0a", 20),
		Checks: []record.Test{{Name: record.SmokeTest, Of: string(p.Asset), Passed: true}}, Tool: "test",
		Recipe: lineage.Describe(tree, img, &lockfile.Lock{}),
	}
	for _, ref := range img.Modules {
		src := record.Source{
			Module: ref.Name, URL: tree.Modules[ref.Name].Git, Ref: ref.Ref, Commit: strings.Repeat("0b", 20),
		}
		if src.URL == "" {
			src.URL, src.Ref = "tree", tree.Modules[ref.Name].Folder
		}
		rec.Sources = append(rec.Sources, src)
	}
	rec.Parents.Root = asset.Ref("docker.io/library/debian:trixie-slim@sha256:" + strings.Repeat("ab", 32))
	if below, nearest, err := s.Below(s.t.Context(), img); len(below.Images) > 0 {
		require.NoError(s.t, err)
		developer := nearest.Image(asset.Developer)
		rec.Parents.Releases = []record.Parent{{
			Asset: nearest.Asset, Version: nearest.Version, Ref: developer.Pinned(), Digest: developer.Digest,
		}}
	}
	for _, target := range []asset.Target{asset.Developer, asset.Runtime} {
		rec.Artifacts = append(rec.Artifacts, s.push(p.Asset.Image(target), p.Version, target))
	}
	if change != nil {
		change(rec)
	}
	_, err = s.Registry.Seal(s.t.Context(), rec)
	require.NoError(s.t, err)
	return rec
}

// push pushes some image.
func (s shelf) push(repository string, v asset.Version, target asset.Target) record.Artifact {
	content, err := random.Image(16, 1)
	require.NoError(s.t, err)
	h, err := content.Digest()
	require.NoError(s.t, err)
	a := record.Artifact{
		Name: repository, Type: record.ImageType, Target: target, Ref: s.Registry.Ref(repository, v),
		Digest: asset.Digest(h.String()),
	}
	ref, err := name.NewDigest(string(a.Pinned()))
	require.NoError(s.t, err)
	require.NoError(s.t, remote.Write(ref, content))
	return a
}

// hierarchy returns the tree of a site with three images, and others over it.
func hierarchy(t *testing.T, over map[string]string) fstest.MapFS {
	tree := maps.Clone(faultcase.Tree(t, "../recipefile/testdata/good.txtar"))
	for file, text := range over {
		tree[file] = &fstest.MapFile{Data: []byte(text)}
	}
	return tree
}

// released releases EPICS Base and the modules on it.
func released(t *testing.T) shelf {
	s := newShelf(t)
	s.release(hierarchy(t, nil), "epics-base 7.0.8.1r1.0", nil)
	s.release(hierarchy(t, nil), "epics-modules 4.45r1.0", nil)
	return s
}

// alone is a tree with a generic IOC alone: nothing of what it is built on.
func alone(over map[string]string) fstest.MapFS {
	tree := fstest.MapFS{}
	files := map[string]string{
		"generic-iocs/ioc-motor/image.yaml": "from: epics-modules 4.45r1.0\nmodules:\n  stage: tree\nioc:\n" +
			"  modules: [stage]\n" +
			"smoke:\n" +
			"  config: smoke\n  checks: [{pv: A}]\n",
		"generic-iocs/ioc-motor/stage/a.c":    "",
		"generic-iocs/ioc-motor/smoke/st.cmd": "iocInit\n",
		"generic-iocs/support/stage.yaml": "folder: generic-iocs/ioc-motor/stage\nmacro: STAGE\nneeds: [motor]\n" +
			"dbds: [stage.dbd]\n" +
			"libs: [stage]\n",
	}
	maps.Copy(files, over)
	for file, text := range files {
		tree[file] = &fstest.MapFile{Data: []byte(text)}
	}
	return tree
}

// A generic IOC alone in its repository is built on what the records of its
// parents say, and not on files of its own.
func TestAnImageIsBuiltOnRecords(t *testing.T) {
	s := released(t)
	tree, err := recipefile.Read(alone(nil))
	require.NoError(t, err)
	img := tree.Images["ioc-motor"]
	below, nearest, err := s.Below(t.Context(), img)
	require.NoError(t, err)
	require.Equal(t, assettest.Pin("epics-modules 4.45r1.0"), asset.Pin{Asset: nearest.Asset, Version: nearest.Version})
	made, err := tree.On(img, below)
	require.NoError(t, err)
	require.Equal(t, []string{"epics-base", "asyn", "busy", "motor", "stage"}, made.IOCModules(img))
	require.Equal(t, []string{"motorSupport.dbd"}, made.Modules["motor"].DBDs)
	require.Equal(
		t, []string{"qsrv", "$(EPICS_BASE_PVA_CORE_LIBS)", "$(EPICS_BASE_IOC_LIBS)"}, made.Modules["epics-base"].Libs,
	)
	var chain []asset.Name
	for _, i := range made.Chain("ioc-motor") {
		chain = append(chain, i.Name)
	}
	require.Equal(t, []asset.Name{"epics-base", "epics-modules", "ioc-motor"}, chain)
	require.Contains(t, made.Images["epics-base"].Base, "debian:trixie-slim@sha256:")
	require.Equal(t, "R7-4", made.Images["epics-modules"].Modules[3].Ref)
	require.NoError(t, s.Check(t.Context(), alone(nil), ""))
}

// In one repository too, what an image is built on is the release and not what
// the tree has since.
func TestTheTreeIsNotAskedForAParent(t *testing.T) {
	s := released(t)
	later := hierarchy(t, map[string]string{
		"generic-iocs/epics-modules/image.yaml": "from: epics-base 7.0.8.1r1.0\nmodules:\n  autosave: R6-0\n",
		"generic-iocs/support/motor.yaml": "git: https://github.com/epics-modules/motor\nmacro: MOTOR\n" +
			"needs: [busy, asyn]\n" +
			"dbds: [other.dbd]\n" +
			"libs: [other]\n",
		"generic-iocs/ioc-motorsim/image.yaml": "from: epics-modules 4.45r1.0\nioc:\n  modules: [motor]\nsmoke:\n" +
			"  config: smoke\n" +
			"  checks: [{pv: A}]\n",
		"generic-iocs/ioc-simstage/image.yaml":   "from: epics-base 7.0.8.1r1.0\n",
		"generic-iocs/ioc-motorsim/smoke/st.cmd": "iocInit\n",
	})
	require.NoError(t, s.Check(t.Context(), later, ""))
	tree, err := recipefile.Read(later)
	require.NoError(t, err)
	img := tree.Images["ioc-motorsim"]
	below, _, err := s.Below(t.Context(), img)
	require.NoError(t, err)
	made, err := tree.On(img, below)
	require.NoError(t, err)
	require.Equal(t, []string{"motorSupport.dbd"}, made.Modules["motor"].DBDs)
	_, outside, err := recipefile.ReadAlone(later)
	require.Empty(t, outside)
	require.ErrorContains(
		t, err, "motor is built neither in ioc-motorsim nor in what it is built on",
		"the tree alone is another question",
	)
}

const (
	imageFile = "generic-iocs/ioc-motor/image.yaml"
	stageFile = "generic-iocs/support/stage.yaml"
)

// runs returns the files of a beamline whose instance runs an image.
func runs(pin string) map[string]string {
	return map[string]string{
		"beamlines/bl01t/beamline.yaml":              "namespace: bl01t\n",
		"beamlines/bl01t/iocs/bl01t-a/config/st.cmd": "iocInit\n",
		"beamlines/bl01t/iocs/bl01t-a/values.yaml":   "image: " + pin + "\nprobePV: A\n",
	}
}

// from returns the files of an image that is built on another.
func from(pin string) map[string]string {
	return map[string]string{
		imageFile: "from: " + pin + "\n",
		stageFile: "folder: generic-iocs/ioc-motor/stage\nmacro: STAGE\nneeds: [epics-base]\n",
	}
}

// generatedIn returns the files of a beamline whose instance is made in an image.
func generatedIn(pin string) map[string]string {
	files := runs("ioc-motorsim 2.5.3r1.0")
	files["beamlines/bl01t/beamline.yaml"] += "generate: {image: " + pin + ", command: [msi]}\n"
	files["beamlines/bl01t/iocs/bl01t-a/generate/a.substitutions"] = ""
	return files
}

// unreleased are trees that a check refuses for what is released.
var unreleased = map[string]struct {
	over map[string]string
	says string
}{
	"a parent that is not released": {
		from("epics-modules 9.9"), imageFile + ": epics-modules 9.9 is not released in 127.0.0.1",
	},
	"a parent that nobody released": {
		from("epics-modles 4.45r1.0"), imageFile + ": epics-modles 4.45r1.0 is not released in",
	},
	"a parent without a recipe": {
		from("old 1.0.0"),
		imageFile + ": old 1.0.0 was released by Tagline test, whose records do not say what an image was made from; release it anew",
	},
	"a parent on another release": {
		from("forged 1.0.0"), imageFile + ": reading the record of epics-base 7.0.8.1r1.0: its developer image is ",
	},
	"a need that nothing brings": {
		map[string]string{stageFile: "folder: generic-iocs/ioc-motor/stage\nmacro: STAGE\nneeds: [moter]\n"},
		imageFile + ":3: stage needs moter, which is built neither in ioc-motor nor in what it is built on; did you mean \"motor\"?",
	},
	"a module that is built already": {
		map[string]string{
			imageFile:                        "from: epics-modules 4.45r1.0\nmodules: {asyn: R4-46}\n",
			"generic-iocs/support/asyn.yaml": "git: https://x.org/a\nmacro: ASYN\n",
		},
		imageFile + ":2: asyn is already built in epics-modules",
	},
	"an IOC of a module that is not": {
		map[string]string{
			imageFile: "from: epics-base 7.0.8.1r1.0\nioc: {modules: [motor]}\n" +
				"smoke: {config: smoke, checks: [{pv: A}]}\n",
		},
		imageFile + ":2: there is no support module \"motor\"",
	},
	"a target that the parent has not": {
		map[string]string{
			imageFile: "from: epics-modules 4.45r1.0\ntargets: [linux-aarch64]\nmodules: {stage: tree}\n",
		},
		"epics-modules, which it is built on, is not built for linux-aarch64",
	},
	"an instance without a release": {
		runs("ioc-motor 1.0.0"), "beamlines/bl01t/iocs/bl01t-a/values.yaml: ioc-motor 1.0.0 is not released in",
	},
	"an instance of an IOC-less image": {
		runs("epics-base 7.0.8.1r1.0"), "bl01t-a/values.yaml: epics-base 7.0.8.1r1.0 has no IOC",
	},
}

func TestRefusedForWhatIsReleased(t *testing.T) {
	s := released(t)
	s.release(
		hierarchy(t, map[string]string{"generic-iocs/old/image.yaml": "from: debian:x\n"}), "old 1.0.0",
		func(r *record.Record) { r.Recipe = nil },
	)
	forged := hierarchy(t, map[string]string{"generic-iocs/forged/image.yaml": "from: epics-base 7.0.8.1r1.0\n"})
	s.release(forged, "forged 1.0.0", func(r *record.Record) {
		other := s.push("epics-base-developer", assettest.Version("1.0.0"), asset.Developer)
		r.Parents.Releases[0].Ref, r.Parents.Releases[0].Digest = other.Pinned(), other.Digest
	})
	for name, c := range unreleased {
		t.Run(name, func(t *testing.T) {
			err := s.Check(t.Context(), alone(c.over), "")
			require.ErrorContains(t, err, c.says)
			require.Len(t, diag.All(err), 1, "%v", err)
		})
	}
}

// The image that a config folder is made in is asked for as the one that it runs in.
func TestAGeneratorNeedsItsImage(t *testing.T) {
	s := released(t)
	refused := func(pin string) []error { return diag.All(s.Check(t.Context(), alone(generatedIn(pin)), "")) }
	require.Len(t, refused("epics-base 7.0.8.1r1.0"), 1, "what runs is not released")
	faults := refused("tools 1.0.0")
	require.Len(t, faults, 2)
	require.ErrorContains(t, faults[0], "beamlines/bl01t/beamline.yaml: tools 1.0.0 is not released in")
}

// Every fault is reported in one run, by file.
func TestCheckSaysAllAtOnce(t *testing.T) {
	s := newShelf(t)
	rec := s.release(
		hierarchy(t, nil), "epics-base 7.0.8.1r1.0",
		func(r *record.Record) { r.Repository = "github.com/some-org/base" },
	)
	tree := hierarchy(t, map[string]string{
		"beamlines/bl01t/beamline.yaml":              "namespace: bl01t\n",
		"beamlines/bl01t/iocs/bl01t-a/values.yaml":   "image: ioc-x 1.0.0\nprobePV: A\n",
		"beamlines/bl01t/iocs/bl01t-a/config/st.cmd": "iocInit\n",
	})
	faults := diag.All(s.Check(t.Context(), tree, "github.com/other-org/site"))
	require.Len(t, faults, 3)
	for i, says := range []string{
		"releasing epics-base: the name belongs to github.com/some-org/base, which released " + rec.Tag.String() +
			"; this is github.com/other-org/site",
		"beamlines/bl01t/iocs/bl01t-a/values.yaml: ioc-x 1.0.0 is not released",
		"generic-iocs/ioc-motorsim/image.yaml: epics-modules 4.45r1.0 is not released",
	} {
		assert.ErrorContains(t, faults[i], says)
	}
	require.NoError(t, s.Owned(t.Context(), "epics-base", asset.Version{}, "github.com/some-org/base"))
	require.NoError(t, s.Owned(t.Context(), "epics-base", asset.Version{}, ""), "a clone of a folder is nobody's")
}

// Where signers are named, a parent without their signature is not read.
func TestAParentMustBeSigned(t *testing.T) {
	s := released(t)
	s.Trusted = attest.Trusted(func(asset.Name) []*sign.Trust { return nil })
	err := s.Check(t.Context(), alone(nil), "")
	require.Error(t, err)
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.ErrorContains(t, err, "verifying epics-modules 4.45r1.0")
}

// Without a registry what is pinned is refused before anything asks for it.
func TestWithoutARegistry(t *testing.T) {
	_, err := lineage.Reader{}.IOC(t.Context(), assettest.Pin("ioc-x 1.0.0"), "values.yaml")
	require.EqualError(t, err, "values.yaml: it needs the release ioc-x 1.0.0, and no registry is named; "+
		"give --registry, or --in-tree to take it from the tree")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
}
