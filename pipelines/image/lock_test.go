package image

import (
	"errors"
	"testing"

	"dagger.io/dagger"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/debian"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/engine"
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
}

// A package that could not be looked for has no wrong name.
func TestASilentArchiveIsNoFaultOfTheRecipe(t *testing.T) {
	b, img := gbd()
	for err, fix := range map[error]string{
		errors.New("no engine"): "no engine; " +
			"see that the engine runs and has space left on its disk, then run it again",
		&dagger.ExecError{
			Cmd: []string{"sh", "-c", "x\ny"}, ExitCode: 100, Stderr: "E: Failed to fetch it",
		}: "sh -c …: exit status 100; see that the engine reaches Debian's archive, " +
			"then run it again\n  E: Failed to fetch it",
	} {
		err = b.resolveFault(img, engine.Explain(err))
		require.Equal(t, diag.Broken, diag.KindOf(err))
		require.EqualError(t, err, "generic-iocs/a/image.yaml: looking for the Debian packages of a: "+fix)
	}
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
