package recipefile_test

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/recipefile"
	"github.com/tagline-ci/tagline/pipelines/strictyaml/faultcase"
)

// site returns the tree of testdata/good.txtar.
func site(t testing.TB) fstest.MapFS { return faultcase.Tree(t, "testdata/good.txtar") }

func TestFaults(t *testing.T) {
	faultcase.Run(t, "testdata/faults", site(t), func(fsys fs.FS) error {
		tree, _, err := recipefile.ReadAlone(fsys)
		assert.Nil(t, tree)
		return err
	})
}

func TestReadGood(t *testing.T) {
	tree, err := recipefile.Read(site(t))
	require.NoError(t, err)
	number, five := func(f float64) *float64 { return &f }, "5"
	v, err := asset.ParseVersion("7.0.8.1r1.0")
	require.NoError(t, err)
	assert.Equal(t, &recipe.Image{
		Name: "ioc-simstage", File: "generic-iocs/ioc-simstage/image.yaml",
		Parent:  asset.Pin{Asset: "epics-base", Version: v},
		Modules: []recipe.ModuleRef{{Name: "simstage", Line: 3}},
		Run:     []string{"procps"},
		IOC:     &recipe.IOC{Modules: []string{"simstage"}},
		Smoke: &recipe.Smoke{Config: "smoke", Checks: []recipe.Check{
			{PV: "SIM:STAGE:RBV", Line: 11, Min: number(-1), Max: number(1)},
			{PV: "SIM:CLOCK", Line: 12, Advances: true},
			{PV: "SIM:STAGE:VAL", Line: 13, Put: &five, Reads: "SIM:STAGE:RBV", Value: &five, Within: 20},
		}},
		Lines: map[string]int{"procps": 5},
	}, tree.Images["ioc-simstage"])
	assert.Equal(t, "debian:trixie-slim", tree.Images["epics-base"].Base)
	assert.Equal(t, []string{"gdb"}, tree.Images["epics-base"].Build)
	assert.Equal(t, &recipe.Module{
		Name: "asyn", File: "generic-iocs/support/asyn.yaml", Git: "https://github.com/epics-modules/asyn",
		Macro:    "ASYN",
		Packages: []string{"libtirpc-dev"}, Config: []string{"TIRPC = YES"}, DBDs: []string{"asyn.dbd"},
		Libs:  []string{"asyn"},
		Lines: map[string]int{"libtirpc-dev": 3, "asyn.dbd": 5, "asyn": 6},
	}, tree.Modules["asyn"])
	assert.Equal(t, "generic-iocs/ioc-simstage/simstage", tree.Modules["simstage"].Folder)
}

func TestReadNothing(t *testing.T) {
	tree, err := recipefile.Read(fstest.MapFS{"README.md": {}})
	require.NoError(t, err)
	assert.Empty(t, tree.Images)
	assert.Empty(t, tree.Modules)
}
