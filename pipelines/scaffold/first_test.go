package scaffold

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-git/go-git/v5"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// TestRootTag: the first tag of EPICS Base is of the version that its recipe builds, with
// a release of the site's own.
func TestRootTag(t *testing.T) {
	tag, err := asset.ParseTag(RootTag)
	require.NoError(t, err)
	root, err := some.Root()
	require.NoError(t, err)
	version, release, _ := strings.Cut(tag.Version.String(), "r")
	require.Contains(t, root["generic-iocs/"+string(tag.Asset)+"/image.yaml"], "epics-base: R"+version+"\n")
	require.Equal(t, "1.0", release)
}

// TestWhatIsFirst: every kind of asset can have the first tag, and a beamline the first
// instance.
func TestWhatIsFirst(t *testing.T) {
	for name, kind := range map[string]asset.Kind{
		"ioc-magnets": asset.Image, "bl02i": asset.Beamline, "ioc-lib": asset.Library,
	} {
		tag, err := FirstTag(name)
		require.NoError(t, err)
		_, err = kind.ParseTag(tag.String())
		require.NoError(t, err)
		require.Equal(t, name+"/1.0.0", tag.String())
	}
	_, err := FirstTag("Ioc_Magnets")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	_, err = some.Instance("bl02i", FirstInstance("bl02i"), assettest.Pin("ioc-magnets 1.0.0"))
	require.NoError(t, err)
}

// TestAddInstance: only a beamline that the tree has gets another instance.
func TestAddInstance(t *testing.T) {
	image := assettest.Pin("ioc-magnets 1.0.0")
	line, err := some.Beamline("bl02i", "bl02i-ea-ioc-01", image)
	require.NoError(t, err)
	tree := treeOf(t, line)
	second, err := some.AddInstance(tree, "bl02i", "bl02i-ea-ioc-02", image)
	require.NoError(t, err)
	require.Contains(t, second, "beamlines/bl02i/iocs/bl02i-ea-ioc-02/values.yaml")
	for _, other := range []string{"bl03i", "", "..", "bl02i/iocs"} {
		_, err := some.AddInstance(tree, other, other+"-ea-ioc-01", image)
		require.ErrorContains(t, err, "adding an instance to", other)
		require.ErrorContains(t, err, "; name a beamline of it, or write one with tagline new beamline "+other)
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
	_, err = some.AddInstance(tree, "bl02i", "bl03i-ea-ioc-01", image)
	require.ErrorContains(t, err, "does not begin with bl02i-")
}

// TestBeginnable: a repository begins anywhere but below the root of another.
func TestBeginnable(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, Beginnable(dir))
	require.NoError(t, Beginnable(filepath.Join(dir, "new")), "it is made")
	_, err := git.PlainInit(dir, false)
	require.NoError(t, err)
	require.NoError(t, Beginnable(dir), "git init came first")
	below := filepath.Join(dir, "generic-iocs", "ioc-a")
	require.NoError(t, os.MkdirAll(below, 0o755))
	err = Beginnable(below)
	require.ErrorContains(t, err, "the folder belongs to the repository in "+dir+"; begin in a folder outside it")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	bare := t.TempDir()
	_, err = git.PlainInit(bare, true)
	require.NoError(t, err)
	require.ErrorContains(t, Beginnable(bare), "name a folder of a clone that has one")
}
