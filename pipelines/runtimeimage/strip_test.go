package runtimeimage

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// Files keep their places, modes and names with blanks; binaries alone are stripped. What
// is made has one time, so it is the same whenever it is made.
func TestStripTakesSymbolsOutOfBinariesAlone(t *testing.T) {
	root, bin := t.TempDir(), t.TempDir()
	write := func(name, text string, mode os.FileMode) string {
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(text), mode))
		return name
	}
	write(bin+"/strip", "#!/bin/sh\necho \"$2\" >>"+bin+"/stripped\n", 0o755)
	files := []string{
		write(root+"/epics/ioc/bin/ioc", "\x7fELF\x02\x01\x00\x00", 0o755),
		write(root+"/epics/ioc/db/a b.db", "record(ai, A) {}\n", 0o644),
		write(root+"/epics/ioc/empty", "", 0o644),
		write(root+"/epics/ioc/run.sh", "#!/bin/sh\n", 0o755),
	}
	strip := func(files []string, args ...string) (string, error) {
		cmd := exec.Command("sh", append([]string{"-c", stripScript, "sh"}, args...)...)
		cmd.Stdin = strings.NewReader(strings.Join(files, "\n") + "\n")
		cmd.Env = append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "EPICS_HOST_ARCH=linux-x86_64")
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	out, err := strip(files, root+"/stripped", "315532800", root+"/epics/ioc", "/epics/config")
	require.NoError(t, err, out)
	for _, file := range files {
		was, err := os.Stat(file)
		require.NoError(t, err)
		is, err := os.Stat(root + "/stripped" + file)
		require.NoError(t, err)
		require.Equal(t, was.Mode(), is.Mode(), file)
	}
	stripped, err := os.ReadFile(bin + "/stripped")
	require.NoError(t, err)
	require.Equal(t, root+"/stripped"+files[0]+"\n", string(stripped))

	require.DirExists(t, root+"/stripped/epics/config")
	link, err := os.Readlink(root + "/stripped" + root + "/epics/ioc/ioc")
	require.NoError(t, err)
	require.Equal(t, "bin/linux-x86_64/ioc", link)
	require.NoError(t, filepath.WalkDir(root+"/stripped", func(p string, d os.DirEntry, err error) error {
		require.NoError(t, err)
		info, err := d.Info()
		require.NoError(t, err)
		require.Equal(t, int64(315532800), info.ModTime().Unix(), p)
		return nil
	}))

	_, err = strip([]string{root + "/nosuch"}, root+"/none", "1", "")
	require.Error(t, err, "a file that is not there is no image")
}

// A database that a script names is looked for in the config folder first, then in
// the module itself before what it needs.
func TestDatabasesAreLookedForInTheConfigFolderFirst(t *testing.T) {
	tree := &recipe.Tree{Modules: map[string]*recipe.Module{
		"asyn": {Name: "asyn"}, "motor": {Name: "motor", Needs: []string{"asyn"}}, "epics-base": {Name: "epics-base"},
	}}
	img := &recipe.Image{Name: "a", IOC: &recipe.IOC{Modules: []string{"motor"}}}
	require.Equal(
		t, ".:/epics/support/motor/db:/epics/support/asyn/db:/epics/epics-base/db", DatabasePath(tree, img),
	)
}

func TestAFaultNamesTheImage(t *testing.T) {
	c := Computer{Image: &recipe.Image{Name: "a", File: "generic-iocs/a/image.yaml"}}
	err := c.fault("building the IOC of", os.ErrNotExist, "mend it")
	require.Equal(t, diag.Broken, diag.KindOf(err))
	require.EqualError(t, err, "generic-iocs/a/image.yaml: building the IOC of a: file does not exist; mend it")
}
