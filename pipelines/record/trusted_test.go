package record

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
)

// withService is the record of a beamline with an IOC and a service.
func withService() *Record {
	r := released()
	r.Artifacts = append(r.Artifacts, Artifact{
		Name: "bl01t-web", Type: ChartType, Ref: "ghcr.io/org/charts/bl01t-web:2026.11.1", Digest: sum,
	})
	r.Instances = append(r.Instances, Instance{
		Name: "bl01t-web", Chart: "ghcr.io/org/charts/bl01t-web@" + sum, Service: "a page",
	})
	return r
}

// Each thing of a release is there once, and says what a promotion must know of it.
func TestValidateEachPart(t *testing.T) {
	require.NoError(t, withService().Validate())
	for says, spoil := range map[string]func(*Record){
		`artifact "other" at "ghcr.io/org/charts/bl01t-web:2026.11.1" is twice there, or has no name`: func(r *Record) {
			r.Artifacts = append(r.Artifacts, r.Artifacts[1])
			r.Artifacts[2].Name = "other" // one address would be tagged twice
		},
		`artifact "" at "ghcr.io/org/charts/bl01t-web:2026.11.1" is twice there, or has no name`: func(r *Record) {
			r.Artifacts[1].Name = ""
		},
		`artifact bl01t-web: size -1`:                        func(r *Record) { r.Artifacts[1].Size = -1 },
		`artifact bl01t-web: type "chart", target "runtime"`: func(r *Record) { r.Artifacts[1].Target = asset.Runtime },
		`artifact bl01t-web: a release of kind beamline has no image`: func(r *Record) {
			r.Artifacts[1].Type, r.Artifacts[1].Target = ImageType, asset.Runtime
		},
		`artifact bl01t-web: "bl01t-web:2026.11.1" is no address with the tag :2026.11.1`: func(r *Record) {
			r.Artifacts[1].Ref, r.Instances[1].Chart = "bl01t-web:2026.11.1", "bl01t-web@"+sum
		},
		"a source has no module or address": func(r *Record) {
			r.Sources = []Source{{Module: "asyn", Commit: strings.Repeat("0a", 20)}}
		},
		"a parent has no name":                            func(r *Record) { r.Parents.Releases[0].Asset = "" },
		"a check has no name, or says not what it was of": func(r *Record) { r.Checks[0].Of = "" },
		"service bl01t-web has an image, a generic IOC or a probe PV": func(r *Record) {
			r.Instances[1].ProbePV = "X"
		},
		"instance bl01t-mo-ioc-01 is an IOC, and was not booted: no beam": func(r *Record) {
			r.Instances[0].NotBooted = "no beam"
		},
		"instance bl01t-mo-ioc-01 has no generic IOC or probe PV": func(r *Record) {
			r.Instances[0].IOC = asset.Pin{}
		},
		"only an image has a recipe": func(r *Record) { r.Recipe = &Recipe{} },
		"asset or version is empty":  func(r *Record) { r.Asset = "" },
	} {
		r := withService()
		spoil(r)
		require.ErrorContains(t, r.Validate(), says)
	}
	library := &Record{
		Schema: Schema, Kind: asset.Library, Asset: "ioc-lib", Version: assettest.Version("1.0.0"),
		Tag: assettest.Tag("ioc-lib/1.0.0"), Commit: strings.Repeat("0a", 20), Tool: "1.0.0",
		Artifacts: []Artifact{{Name: "ioc-lib", Type: ChartType, Ref: "ghcr.io/org/charts/ioc-lib:1.0.0", Digest: sum}},
		Checks:    []Test{{Name: PackageTest, Of: "ioc-lib", Passed: true}},
	}
	require.NoError(t, library.Validate())
	library.Recipe = &Recipe{}
	require.ErrorContains(t, library.Validate(), "only an image has a recipe")
	library.Recipe, library.Artifacts[0].Type = nil, InstanceType
	require.ErrorContains(t, library.Validate(), "artifact ioc-lib: a release of kind library has no instance")
}

// Lists whose order means nothing are sorted, so that equal releases have equal digests.
func TestEachListIsSorted(t *testing.T) {
	r := withService()
	r.Checks = append(r.Checks,
		Test{Name: "boot", Of: "bl01t-a", Passed: true}, Test{Name: "generated", Of: "bl01t-a", Passed: true},
		Test{Name: "unique PVs", Of: "bl01t", Passed: true},
	)
	r.Sources = []Source{
		{Module: "motor", URL: "https://x/motor", Commit: strings.Repeat("0a", 20)},
		{Module: "asyn", URL: "https://x/asyn", Commit: strings.Repeat("0a", 20)},
	}
	r.Gate.Approvers = []string{"zoe", "ada"}
	want, err := Encode(r)
	require.NoError(t, err)
	other := withService()
	other.Checks, other.Sources = slices.Clone(r.Checks), slices.Clone(r.Sources)
	other.Gate.Approvers = []string{"ada", "zoe"}
	for _, turn := range []func(){
		func() { slices.Reverse(other.Checks) }, func() { slices.Reverse(other.Sources) },
		func() { slices.Reverse(other.Instances) }, func() { slices.Reverse(other.Artifacts) },
	} {
		turn()
		got, err := Encode(other)
		require.NoError(t, err)
		require.Equal(t, string(want), string(got))
	}
	sorted, err := Read(want)
	require.NoError(t, err)
	var checks []string
	for _, c := range sorted.Checks {
		checks = append(checks, c.Of+" "+c.Name)
	}
	require.Equal(
		t, []string{"bl01t unique PVs", "bl01t-a boot", "bl01t-a generated", "bl01t-mo-ioc-01 boot"}, checks,
	)
}

// What is read is a record alone, as Tagline writes it, and the fault says which it is not.
func TestReadSaysWhatIsWrong(t *testing.T) {
	b, err := Encode(released())
	require.NoError(t, err)
	text := string(b)
	unknown := strings.Replace(text, `"tool"`, `"tolo"`, 1)
	for says, spoilt := range map[string]string{
		`reading record: json: unknown field "tolo"`:                                     unknown,
		"reading record: there is more after it":                                         text + "{}",
		"reading record of bl01t 2026.11.1: it is not written as Tagline writes records": text + "\n",
		"reading record: unexpected EOF":                                                 text[:len(text)-3],
	} {
		_, err := Read([]byte(spoilt))
		require.EqualError(t, err, says)
	}
	spoilt := released()
	spoilt.Tool = ""
	_, err = Encode(spoilt)
	require.EqualError(t, err, "writing record of bl01t 2026.11.1: tool is empty")
}

// An instance runs the runtime image of the release that it is pinned to, also where its
// own image has one layer more.
func TestTheGenericIOCOfAnInstance(t *testing.T) {
	r := released()
	r.Parents.Releases = append([]Parent{{
		Asset: "ioc-simstage", Version: assettest.Version("1.1.0"), Ref: "ghcr.io/org/other@" + sum, Digest: sum,
	}, {
		Asset: "ioc-other", Version: assettest.Version("1.0.0"), Ref: "ghcr.io/org/other@" + sum, Digest: sum,
	}}, r.Parents.Releases...)
	inst := r.Instances[0]
	inst.Image = "ghcr.io/org/instances/bl01t-mo-ioc-01@" + sum
	require.EqualValues(t, "ghcr.io/org/ioc-simstage-runtime@"+sum, r.GenericIOC(inst))
	inst.IOC = assettest.Pin("ioc-simstage 9.0.0")
	require.Equal(t, inst.Image, r.GenericIOC(inst), "a record of before parents were in it")
}

// People are told of each service whether its boot was seen to pass, and why not.
func TestWhatIsSaidOfTheBootOfAService(t *testing.T) {
	r := withService()
	service := r.Instances[1]
	require.Equal(t, "a page", service.Runs())
	require.Equal(t, "ioc-simstage 1.0.0", r.Instances[0].Runs())
	for _, none := range []Test{
		{Name: ServiceTest, Of: "bl01t-web"}, {Name: ServiceTest, Of: "bl01t-other", Passed: true},
		{Name: BootTest, Of: "bl01t-web", Passed: true},
	} {
		r.Checks = []Test{none}
		require.Equal(t, "not booted, and its values do not say why", r.Booted(service))
	}
	service.NotBooted = "it has no data"
	require.Equal(t, "not booted: it has no data", r.Booted(service))
	r.Checks = []Test{{Name: ServiceTest, Of: "bl01t-web", Passed: true}}
	require.Equal(t, "its boot command passed", r.Booted(service))
}

// What was taken is told by the release that it is from, each once.
func TestWhatWasTakenFromWhich(t *testing.T) {
	one := Origin{Release: assettest.Tag("bl01t/2026.10.1"), Record: sum}
	two := Origin{Release: assettest.Tag("bl01t/2026.10.1"), Record: asset.Digest("sha256:" + strings.Repeat("cd", 32))}
	r := &Record{
		Checks: []Test{
			{Of: "a", From: &one}, {Of: "b"}, {Of: "c", From: &two}, {Of: "d", From: &Origin{one.Release, one.Record}},
		},
		Sources: []Source{{Module: "x", From: &two}, {Module: "y"}, {Module: "z", From: &two}},
	}
	require.Equal(t, []Origin{one, two}, r.Origins())
	require.Equal(t, []Origin{two}, r.Builders())
	taken := r.TakenFrom(one)
	require.Len(t, taken, 2)
	require.Equal(t, "a d", taken[0].Of+" "+taken[1].Of)
}

// The image of a release is that of its target; a release that is no image has none.
func TestTheImageOfARelease(t *testing.T) {
	image := Artifact{Name: "ioc-x-runtime", Type: ImageType, Target: asset.Runtime, Digest: sum}
	r := &Record{Artifacts: []Artifact{{Name: "chart", Type: ChartType, Digest: sum}, image}}
	require.Equal(t, image, r.Image(asset.Runtime))
	require.Zero(t, r.Image(asset.Developer))
	require.Zero(t, r.Image(""), "a chart has no target")
}

// Parents that are read replace those that were there, and a version that is none is refused.
func TestParentsAreReadAnew(t *testing.T) {
	p := released().Parents
	require.False(t, p.IsZero())
	require.False(t, Parents{Root: "debian@" + sum}.IsZero())
	require.NoError(t, p.UnmarshalJSON([]byte("[]")))
	require.True(t, p.IsZero())
	for _, bad := range []string{
		`[{"asset": "ioc-x", "version": "x y", "ref": "", "digest": ""}]`, `{}`,
		`[{"asset": "IOC X", "version": "1.0.0", "ref": "", "digest": ""}]`,
	} {
		require.Error(t, p.UnmarshalJSON([]byte(bad)), bad)
	}
}
