package record

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gotest.tools/v3/golden"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
)

const sum = "sha256:abababababababababababababababababababababababababababababababab"

// released is the record of a beamline with one instance.
func released() *Record {
	return &Record{
		Schema: Schema, Kind: asset.Beamline, Asset: "bl01t", Version: assettest.Version("2026.11.1"),
		Tag: assettest.Tag("bl01t/2026.11.1"), Commit: strings.Repeat("0a", 20),
		Artifacts: []Artifact{{
			Name: "bl01t-mo-ioc-01", Type: "chart", Ref: "ghcr.io/org/charts/bl01t-mo-ioc-01:2026.11.1", Digest: sum,
			Size: 4321,
		}},
		Parents: Parents{Releases: []Parent{{
			Asset: "ioc-simstage", Version: assettest.Version("1.0.0"), Ref: "ghcr.io/org/ioc-simstage-runtime@" + sum,
			Digest: sum,
		}}},
		Instances: []Instance{{
			Name: "bl01t-mo-ioc-01", Chart: "ghcr.io/org/charts/bl01t-mo-ioc-01@" + sum,
			Image: "ghcr.io/org/ioc-simstage-runtime@" + sum,
			IOC:   assettest.Pin("ioc-simstage 1.0.0"), ProbePV: "BL01T-MO-STAGE-01:RBV", Protocol: "ca",
		}},
		Checks: []Test{{
			Name: "boot", Of: "bl01t-mo-ioc-01", Digest: sum, Passed: true,
			Evidence: []string{"BL01T-MO-STAGE-01:RBV = 0 <mm> (ca)"},
			PVs:      []PV{{Name: "BL01T-MO-STAGE-01:RBV", Type: "ai"}, {Name: "BL01T-MO-STAGE-01:VAL", Type: "ao"}},
		}},
		Gate: Policy{Approvers: []string{"someone"}, Environment: "bl01t"}, Namespace: "bl01t", Tool: "1.0.0",
	}
}

func TestRecordIsReadBack(t *testing.T) {
	b, err := Encode(released())
	require.NoError(t, err)
	golden.AssertBytes(t, b, "beamline.json")
	r, err := Read(b)
	require.NoError(t, err)
	require.Equal(t, released(), r)
}

func TestOrderOfListsDoesNotChangeTheText(t *testing.T) {
	one, two := released(), released()
	second := one.Artifacts[0]
	second.Name, second.Ref = "bl01t-a", "ghcr.io/org/charts/bl01t-a:2026.11.1"
	one.Artifacts = append(one.Artifacts, second)
	two.Artifacts = append([]Artifact{second}, two.Artifacts...)
	two.Checks[0].PVs[0], two.Checks[0].PVs[1] = two.Checks[0].PVs[1], two.Checks[0].PVs[0]
	a, err := Encode(one)
	require.NoError(t, err)
	b, err := Encode(two)
	require.NoError(t, err)
	require.Equal(t, string(a), string(b))
	require.Equal(t, "BL01T-MO-STAGE-01:VAL", two.Checks[0].PVs[0].Name, "the caller's record stays as it is")
}

func TestValidate(t *testing.T) {
	for says, spoil := range map[string]func(*Record){
		"schema is":           func(r *Record) { r.Schema = "tagline.record/v2" },
		"version is empty":    func(r *Record) { r.Version = asset.Version{} },
		"is not that of":      func(r *Record) { r.Tag = assettest.Tag("bl02t/2026.11.1") },
		"no git commit":       func(r *Record) { r.Commit = "main" },
		"tool is empty":       func(r *Record) { r.Tool = "" },
		"nothing was checked": func(r *Record) { r.Checks = nil },
		"did not pass":        func(r *Record) { r.Checks[0].Passed = false },
		"kind is":             func(r *Record) { r.Kind = "chart" },
		"needs its namespace": func(r *Record) { r.Namespace = "" },
		"has no instances":    func(r *Record) { r.Instances = nil },
		"only a beamline":     func(r *Record) { r.Kind = asset.Library },
		"has no chart":        func(r *Record) { r.Kind = asset.Image },
		"names no artifact":   func(r *Record) { r.Artifacts = nil },
		"none of the art": func(r *Record) {
			r.Artifacts[0].Digest = asset.Digest("sha256:" + strings.Repeat("cd", 32))
		},
		"digest \"\"":         func(r *Record) { r.Artifacts[0].Digest = "" },
		"root \"debian":       func(r *Record) { r.Kind, r.Parents.Root = asset.Image, "debian:trixie-slim" },
		"an image has a root": func(r *Record) { r.Parents.Root = "debian:trixie-slim@" + sum },
		"with the tag":        func(r *Record) { r.Artifacts[0].Ref = "ghcr.io/org/charts/x:latest" },
		"is not by digest":    func(r *Record) { r.Instances[0].Image = "ghcr.io/org/ioc:1.0.0" },
		"not ca or pva":       func(r *Record) { r.Instances[0].Protocol = "" },
		"twice there":         func(r *Record) { r.Instances = append(r.Instances, r.Instances[0]) },
		"instance \"../../x\"": func(r *Record) { // a file of that name would be rendered
			r.Instances[0].Name, r.Instances[0].Chart = "../../x", "ghcr.io/org/charts/../../x@"+sum
			r.Artifacts[0].Ref = "ghcr.io/org/charts/../../x:2026.11.1"
		},
		"\"../x\" is none": func(r *Record) { r.Namespace = "../x" },
		"not at digest":    func(r *Record) { r.Parents.Releases[0].Digest = "" },
		"source asyn": func(r *Record) {
			r.Sources = []Source{{Module: "asyn", URL: "https://x", Ref: "R4-45", Commit: "R4-45"}}
		},
		"generic IOC or": func(r *Record) { r.Instances[0].ProbePV = "" },
	} {
		r := released()
		spoil(r)
		require.ErrorContains(t, r.Validate(), says)
		_, err := Encode(r)
		require.Error(t, err, says)
	}
	r := released()
	r.Tag, r.Tool, r.Checks = assettest.Tag("2026.11.1"), "", nil
	require.ErrorContains(
		t, r.Validate(), "tool is empty\nnothing was checked", "all faults at once, and a bare tag is none",
	)
}

func TestReadRefuses(t *testing.T) {
	b, err := Encode(released())
	require.NoError(t, err)
	text := string(b)
	for name, spoilt := range map[string]string{
		"no digest":      strings.Replace(text, sum, "latest", 1),
		"no kind":        strings.Replace(text, `"kind": "beamline"`, `"kind": "chart"`, 1),
		"no version":     strings.Replace(text, `"version": "2026.11.1"`, `"version": "x"`, 1),
		"no parent":      strings.Replace(text, `"asset": "ioc-simstage"`, `"asset": "IOC"`, 1),
		"unknown field":  strings.Replace(text, `"tool"`, `"tolo"`, 1),
		"repeated field": strings.Replace(text, `"kind": "beamline",`, `"kind": "image", "kind": "beamline",`, 1),
		"other spacing":  strings.ReplaceAll(text, "  ", " "),
		"more after it":  text + "{}",
		"less":           text[:len(text)-3],
		"nothing":        "",
		"null":           "null",
	} {
		_, err := Read([]byte(spoilt))
		require.Error(t, err, name)
	}
}

func TestTextThatIsNoUTF8IsReadBack(t *testing.T) {
	r := released()
	r.Checks[0].Evidence = []string{"caf\xe9 \u2028 \x1b[0m"}
	b, err := Encode(r)
	require.NoError(t, err)
	_, err = Read(b)
	require.NoError(t, err)
}

// What is read is written again as it was.
func FuzzRead(f *testing.F) {
	for _, file := range []string{"beamline.json"} {
		b, err := os.ReadFile(filepath.Join("testdata", file))
		require.NoError(f, err)
		f.Add(b)
	}
	f.Add([]byte(`{"schema":"tagline.record/v1","artifacts":[{}],"checks":[{"pvs":[{}]}],"gate":{}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := Read(b)
		if err != nil {
			return
		}
		again, err := Encode(r)
		require.NoError(t, err)
		require.Equal(t, string(b), string(again))
	})
}

// The root is the last of the parents in JSON, as it always was.
func TestParentsInJSON(t *testing.T) {
	const root = `{"asset":"docker.io/library/debian","version":"trixie-slim","ref":"docker.io/library/debian:trixie-slim@` + sum + `","digest":"` + sum + `"}`
	const bare = `{"asset":"debian","version":"","ref":"debian@` + sum + `","digest":"` + sum + `"}`
	const ioc = `{"asset":"ioc","version":"1.0.0","ref":"ghcr.io/org/ioc-developer@` + sum + `","digest":"` + sum + `"}`
	parent := Parent{
		Asset: "ioc", Version: assettest.Version("1.0.0"), Ref: "ghcr.io/org/ioc-developer@" + sum, Digest: sum,
	}
	for text, want := range map[string]Parents{
		"[]":                         {},
		"[" + ioc + "]":              {Releases: []Parent{parent}},
		"[" + root + "]":             {Root: "docker.io/library/debian:trixie-slim@" + sum},
		"[" + bare + "]":             {Root: "debian@" + sum},
		"[" + ioc + "," + root + "]": {Releases: []Parent{parent}, Root: "docker.io/library/debian:trixie-slim@" + sum},
	} {
		var got Parents
		require.NoError(t, json.Unmarshal([]byte(text), &got), text)
		require.Equal(t, want, got)
		b, err := json.Marshal(got)
		require.NoError(t, err)
		require.Equal(t, text, string(b))
	}
	for _, text := range []string{"{}", "[" + root + "," + ioc + "]", `[{"asset":"ioc","version":"x"}]`} {
		require.Error(t, new(Parents).UnmarshalJSON([]byte(text)), text)
	}
}
