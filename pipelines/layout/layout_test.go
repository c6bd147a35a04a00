package layout_test

import (
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/layout"
)

func TestWhereThingsAre(t *testing.T) {
	require.Equal(t, "/epics/epics-base", layout.Module("epics-base"), "EPICS Base is no support module")
	require.Equal(t, "/epics/support/asyn", layout.Module("asyn"))
	require.Equal(t, "/epics/epics-base/bin/linux-x86_64/caget", layout.Program("caget"))
	require.Equal(t, path.Dir(layout.Program("caget")), strings.Split(layout.SearchPath, ":")[0])
}

var named = regexp.MustCompile(`/epics/[a-z-]+(?:/ioc-[a-z]+)?`)

// Scripts and charts can't ask this room where things are: the folders that they name must
// be those that images have.
func TestScriptsAndChartsKnowTheFolders(t *testing.T) {
	known := []string{
		layout.Base, layout.Support, layout.IOC, layout.RunFolder, layout.Run, layout.Ask, layout.Config,
		layout.Autosave,
	}
	found := map[string]bool{}
	for _, root := range []string{"../smoke", "../image", "../runtimeimage", "../newmodule", "../../charts/ioc-lib"} {
		require.NoError(t, fs.WalkDir(os.DirFS(root), ".", func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !slices.Contains([]string{".sh", ".pl", ".tpl"}, path.Ext(name)) {
				return err
			}
			text, err := os.ReadFile(path.Join(root, name))
			for _, folder := range named.FindAllString(string(text), -1) {
				found[folder] = true
				require.Contains(t, known, folder, "%s/%s", root, name)
			}
			return err
		}))
	}
	for _, folder := range []string{layout.Ask, layout.Config, layout.Autosave} {
		require.True(t, found[folder], "%s is named somewhere, or this test looks in the wrong places", folder)
	}
}
