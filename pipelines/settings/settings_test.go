package settings_test

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/settings"
	"github.com/tagline-ci/tagline/pipelines/strictyaml/faultcase"
)

func TestRead(t *testing.T) {
	none, err := settings.Read(fstest.MapFS{})
	require.NoError(t, err)
	require.Equal(t, &settings.Settings{}, none)
	all, err := settings.Read(faultcase.Tree(t, "testdata/good.txtar"))
	require.NoError(t, err)
	require.Equal(t, &settings.Settings{
		Registry: "ghcr.io/some-org", Library: assettest.Pin("ioc-lib 1.2.0"),
		Signers: []policy.Signer{{
			Assets: []string{"epics-*"}, Identity: "https://github.com/some-org/base/.github/workflows/release.yml",
			Issuer: "https://token.actions.githubusercontent.com",
		}},
	}, all)
}

func TestFaults(t *testing.T) {
	faultcase.Run(t, "testdata/faults", fstest.MapFS{}, func(files fs.FS) error {
		s, err := settings.Read(files)
		require.Nil(t, s)
		return err
	})
}

// Whatever is in the file, it is read or refused with the file and the fix.
func FuzzRead(f *testing.F) {
	f.Add([]byte("registry: ghcr.io/some-org\nlibrary: ioc-lib 1.2.0\n"))
	f.Add([]byte("signers: [{assets: ['['], key: x, identity: y}]\n"))
	f.Add([]byte("library: ioc-lib\nregistry: https://a:b@c\nregistry: ~\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := settings.Read(fstest.MapFS{settings.File: {Data: text}})
		require.Equal(t, err == nil, s != nil)
		for _, one := range diag.All(err) {
			var fault *diag.Error
			require.ErrorAs(t, one, &fault)
			require.Equal(t, diag.Invalid, fault.Kind)
			require.Equal(t, settings.File, fault.File)
			require.NotEmpty(t, fault.Fix)
		}
	})
}
