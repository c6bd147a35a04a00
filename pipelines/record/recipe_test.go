package record

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
)

// aReleasedImage is the record of a generic IOC with two support modules.
func aReleasedImage() *Record {
	image := func(target asset.Target) Artifact {
		return Artifact{
			Name: "ioc-motor-" + string(target), Type: ImageType, Target: target, Digest: sum, Size: 1,
			Ref: asset.Ref("ghcr.io/org/ioc-motor-" + string(target) + ":1.0.0"),
		}
	}
	source := func(module string) Source {
		return Source{Module: module, URL: "https://git.example.org/" + module, Commit: strings.Repeat("0b", 20)}
	}
	return &Record{
		Schema: Schema, Kind: asset.Image, Asset: "ioc-motor", Version: assettest.Version("1.0.0"),
		Tag: assettest.Tag("ioc-motor/1.0.0"), Commit: strings.Repeat("0a", 20), Tool: "1.0.0",
		Artifacts: []Artifact{image(asset.Developer), image(asset.Runtime)},
		Checks:    []Test{{Name: "boot", Of: "ioc-motor", Digest: sum, Passed: true}},
		Sources:   []Source{source("asyn"), source("motor")},
		Recipe: &Recipe{
			Modules: []Module{{Name: "motor", Macro: "MOTOR", Needs: []string{"asyn"}}, {Name: "asyn", Macro: "ASYN"}},
			IOC:     &IOC{Modules: []string{"motor"}},
		},
	}
}

// An image can be built on one whose record says of each module what it is, once,
// and where it is from.
func TestARecipeCanBeBuiltOn(t *testing.T) {
	require.NoError(t, aReleasedImage().Validate())
	for says, spoil := range map[string]func(*Record){
		`module "asyn" is twice there`: func(r *Record) {
			r.Recipe.Modules = append(r.Recipe.Modules, Module{Name: "asyn", Macro: "ASYN2"})
		},
		`module "busy" is twice there, or has no name or macro`: func(r *Record) {
			r.Recipe.Modules[1].Name = "busy"
			r.Recipe.Modules[1].Macro = ""
		},
		`module "" is twice there, or has no name`: func(r *Record) { r.Recipe.Modules[0].Name = "" },
		"module motor has no source":               func(r *Record) { r.Sources = r.Sources[:1] },
		"only an image has a recipe": func(r *Record) {
			r.Kind, r.Artifacts = asset.Library, nil
		},
	} {
		r := aReleasedImage()
		spoil(r)
		require.ErrorContains(t, r.Validate(), says)
		_, err := Encode(r)
		require.Error(t, err)
	}
	bl := released()
	bl.Recipe = &Recipe{}
	require.ErrorContains(t, bl.Validate(), "only an image has a recipe")
}

// The order in which modules were built changes nothing of a record.
func TestModulesAreSortedInARecord(t *testing.T) {
	one, two := aReleasedImage(), aReleasedImage()
	slices.Reverse(two.Recipe.Modules)
	slices.Reverse(two.Sources)
	slices.Reverse(two.Artifacts)
	a, err := Encode(one)
	require.NoError(t, err)
	b, err := Encode(two)
	require.NoError(t, err)
	require.Equal(t, string(a), string(b))
	require.Equal(t, "motor", one.Recipe.Modules[0].Name, "the caller's record stays as it is")
	back, err := Read(a)
	require.NoError(t, err)
	require.Equal(t, asset.Ref("ghcr.io/org/ioc-motor-runtime:1.0.0"), back.Image(asset.Runtime).Ref)
}
