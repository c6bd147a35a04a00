package image

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/debian"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// gbd is an image that names two packages that Debian does not have, one of
// them through a module.
func gbd() (Builder, *recipe.Image) {
	img := &recipe.Image{
		Name: "a", File: "generic-iocs/a/image.yaml", Build: []string{"gbd"}, Lines: map[string]int{"gbd": 4},
		Modules: []recipe.ModuleRef{{Name: "asyn"}},
	}
	asyn := &recipe.Module{
		File: "generic-iocs/support/asyn.yaml", Packages: []string{"libtrpc-dev"},
		Lines: map[string]int{"libtrpc-dev": 3},
	}
	return Builder{Tree: &recipe.Tree{Modules: map[string]*recipe.Module{"asyn": asyn}}}, img
}

func TestEachMissingPackageIsNamedWhereItStands(t *testing.T) {
	b, img := gbd()
	err := b.resolveFault(img, &debian.MissingError{Packages: []string{"gbd", "libtrpc-dev"}})
	require.EqualError(t, err, ""+
		"generic-iocs/a/image.yaml:4: Debian has no package gbd; correct the name, or take it out\n"+
		"generic-iocs/support/asyn.yaml:3: Debian has no package libtrpc-dev; correct the name, or take it out")
	err = b.resolveFault(img, errors.New("the archive is silent"))
	require.EqualError(
		t, err,
		"generic-iocs/a/image.yaml: looking for the Debian packages of a: the archive is silent; correct the package's name",
	)
}

func TestAPackageWithoutVersionIsRefused(t *testing.T) {
	b, img := gbd()
	require.NoError(t, b.virtual(img, []string{"gbd"}, map[string]string{"gbd": "1"}))
	err := b.virtual(img, []string{"gbd", "libtrpc-dev"}, map[string]string{"gbd": "1"})
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	require.EqualError(
		t, err,
		"generic-iocs/support/asyn.yaml:3: libtrpc-dev is no Debian package but a name that others provide; name a package that provides it",
	)
}
