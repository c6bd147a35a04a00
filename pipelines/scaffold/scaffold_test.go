package scaffold

import (
	"maps"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/check"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/settings"
)

// some is a repository of an organisation on GitHub.
var some = Repository{Registry: "ghcr.io/some-org", Version: "v1.2.3"}

// treeOf returns a tree of files, none of which is written twice.
func treeOf(t *testing.T, all ...Files) fstest.MapFS {
	t.Helper()
	tree := fstest.MapFS{}
	for _, files := range all {
		for name, text := range files {
			require.NotContains(t, tree, name)
			require.NotContains(t, text, "<<", name)
			require.NotContains(t, text, "<no value>", name)
			tree[name] = &fstest.MapFile{Data: []byte(text)}
		}
	}
	return tree
}

// TestWhatIsWrittenPassesCheck: it does as it stands, all of it together.
func TestWhatIsWrittenPassesCheck(t *testing.T) {
	image, err := some.Image("ioc-magnets", assettest.Pin("epics-base 7.0.8.1r1.0"))
	require.NoError(t, err)
	line, err := some.Beamline("bl02i", "bl02i-ea-ioc-01", assettest.Pin("ioc-magnets 1.0.0"))
	require.NoError(t, err)
	second, err := some.Instance("bl02i", "bl02i-ea-ioc-02", assettest.Pin("ioc-magnets 1.0.0"))
	require.NoError(t, err)
	library, err := LibraryChart()
	require.NoError(t, err)
	common, err := some.Common(assettest.Tag("ioc-magnets/1.0.0"))
	require.NoError(t, err)
	promotion, err := some.Promotion("bl02i")
	require.NoError(t, err)
	tree := treeOf(t, image, line, second, library, common, promotion)
	sum, err := check.Alone(tree)
	require.NoError(t, err)
	require.Equal(t, []int{1, 1, 2}, []int{sum.Images, sum.Beamlines, sum.Instances})
	require.True(t, chart.HasLibrary(tree))
	_, err = chart.LibraryOf(tree)
	require.NoError(t, err)
}

// TestWhatIsLeftToLock: of the root of a hierarchy and of support modules nothing
// is wrong but that they are not locked yet.
func TestWhatIsLeftToLock(t *testing.T) {
	root, err := some.Root()
	require.NoError(t, err)
	support, err := some.Support(
		"asyn", "https://github.com/epics-modules/asyn", "R4-45", assettest.Pin("epics-base 7.0.8.1r1.0"),
	)
	require.NoError(t, err)
	for name, files := range map[string]Files{"epics-base": root, "asyn": support} {
		_, err := check.Alone(treeOf(t, files))
		require.ErrorContains(t, err, name+" is not locked")
		require.NotContains(t, err.Error(), "\n")
	}
	require.Contains(t, support["generic-iocs/support/asyn.yaml"], "\nmacro: ASYN\n")
}

// TestSettings: what is said of the repository is read back.
func TestSettings(t *testing.T) {
	const workflow = "https://github.com/some-org/base/.github/workflows/release.yml"
	for name, site := range map[string]Repository{
		"a registry": {Registry: "127.0.0.1:5000/some"},
		"a library":  {Registry: "127.0.0.1:5000/some", Library: assettest.Pin("ioc-lib 1.2.0")},
		"signers": {Registry: "ghcr.io/some-org", Signers: []policy.Signer{
			{Identity: workflow}, {Identity: "https://github.com/some-org/iocs/x.yml", Assets: []string{"ioc-*", "*"}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			common, err := site.Common(assettest.Tag("bl02i/1.0.0"))
			require.NoError(t, err)
			read, err := settings.Read(treeOf(t, common))
			require.NoError(t, err)
			require.Equal(t, site.Registry, read.Registry)
			require.Equal(t, site.Library, read.Library)
			require.Len(t, read.Signers, len(site.Signers))
			for i, signer := range site.Signers {
				require.Equal(t, signer.Identity, read.Signers[i].Identity)
				require.Equal(t, signer.Assets, read.Signers[i].Assets)
			}
		})
	}
}

// TestSchemas: each YAML file that people edit names its schema, of the version
// that is used.
func TestSchemas(t *testing.T) {
	image, err := some.Image("ioc-magnets", assettest.Pin("epics-base 7.0.8.1r1.0"))
	require.NoError(t, err)
	line, err := some.Beamline("bl02i", "bl02i-ea-ioc-01", assettest.Pin("ioc-magnets 1.0.0"))
	require.NoError(t, err)
	root, err := some.Root()
	require.NoError(t, err)
	common, err := some.Common(assettest.Tag("ioc-magnets/1.0.0"))
	require.NoError(t, err)
	carried, err := some.Carried("beamlines", "generic-iocs/support/simstage.yaml")
	require.NoError(t, err)
	require.Contains(t, carried, "beamlines/bl01t/beamline.yaml")
	for name, file := range treeOf(t, image, line, root, common, carried) {
		if strings.HasSuffix(name, ".yaml") {
			require.Regexp(
				t, `^# yaml-language-server: \$schema=https://\S+/v1\.2\.3/docs/schemas/\w+\.schema\.json\n`,
				string(file.Data), name,
			)
		}
	}
}

// TestRegistryLogin: GitHub's registry takes the token of a workflow, another the
// secrets of the repository.
func TestRegistryLogin(t *testing.T) {
	for registry, want := range map[string]string{
		"ghcr.io/some-org": "secrets.GITHUB_TOKEN", "registry.example.org/iocs": "secrets.REGISTRY_PASSWORD",
	} {
		files, err := Repository{Registry: registry}.Common(assettest.Tag("bl02i/1.0.0"))
		require.NoError(t, err)
		maps.DeleteFunc(files, func(name, _ string) bool { return !strings.HasPrefix(name, ".github/") })
		require.Len(t, files, 2)
		for name, text := range files {
			require.Regexp(t, `(?:registry-password|TAGLINE_REGISTRY_PASSWORD): \$\{\{ `+want+` }}\n`, text, name)
		}
	}
}

func TestBadNamesAreRefused(t *testing.T) {
	for _, name := range []string{"", "Ioc", "ioc_a", "../ioc", strings.Repeat("a", 64)} {
		_, err := some.Image(name, assettest.Pin("epics-base 1.0.0"))
		require.Error(t, err, name)
		_, err = some.Support(name, "https://example.org/a", "1", assettest.Pin("epics-base 1.0.0"))
		require.Error(t, err, name)
		_, err = some.Beamline(name, "bl01t-a", assettest.Pin("ioc-x 1.0.0"))
		require.Error(t, err, name)
		_, err = some.Instance("bl01t", name, assettest.Pin("ioc-x 1.0.0"))
		require.Error(t, err, name)
	}
	_, err := some.Instance("bl01t", "bl02t-a", assettest.Pin("ioc-x 1.0.0"))
	require.ErrorContains(t, err, "does not begin with bl01t-")
	for _, name := range []string{"", "../a", "a.b"} {
		_, err := some.Module(name, "https://example.org/a")
		require.Error(t, err, name)
	}
}
