package image

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"dagger.io/dagger"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/upstream"
)

func TestReleaseNamesEveryNeed(t *testing.T) {
	b := Builder{Tree: &recipe.Tree{Modules: map[string]*recipe.Module{
		"epics-base": {Name: "epics-base", Macro: "EPICS_BASE"},
		"asyn":       {Name: "asyn", Macro: "ASYN"},
		"busy":       {Name: "busy", Macro: "BUSY", Needs: []string{"asyn"}},
		"motor":      {Name: "motor", Macro: "MOTOR", Needs: []string{"busy"}},
	}}}
	require.Equal(t, `SUPPORT = /epics/support
IPAC =
ASYN = /epics/support/asyn
BUSY = /epics/support/busy
EPICS_BASE = /epics/epics-base
`, b.release(b.Tree.Modules["motor"], upstream.ReadMakefile("IPAC=$(SUPPORT)/ipac\nASYN=$(SUPPORT)/asyn\n#MX=$(SUPPORT)/mx\n")))
}

// Whatever a module's RELEASE reads for a site's own paths says where its needs
// are; one that reads nothing is made to.
func TestConfigureFiles(t *testing.T) {
	b := Builder{Tree: &recipe.Tree{Modules: map[string]*recipe.Module{
		"epics-base": {Name: "epics-base", Macro: "EPICS_BASE"},
		"scale":      {Name: "scale", Macro: "SCALE"},
	}}}
	mod := &recipe.Module{Name: "own", Macro: "OWN", Needs: []string{"scale"}, Config: []string{"A = YES"}}
	b.Tree.Modules["own"] = mod
	const paths = "SUPPORT = /epics/support\nGONE =\nSCALE = /epics/support/scale\nEPICS_BASE = /epics/epics-base\n"
	const text = "SCALE=$(SUPPORT)/scale\nGONE=/gone/by\n"
	files := b.configureFiles(&recipe.Image{}, mod, text)
	require.Equal(t, map[string]string{
		"RELEASE":                         text + "-include $(TOP)/configure/RELEASE.local\n",
		"RELEASE.local":                   paths,
		"RELEASE.linux-x86_64.Common":     paths,
		"CONFIG_SITE.local":               files["CONFIG_SITE.local"],
		"CONFIG_SITE.linux-x86_64.Common": files["CONFIG_SITE.local"],
	}, files)
	require.Contains(t, files["CONFIG_SITE.local"], "\nA = YES\n")

	files = b.configureFiles(&recipe.Image{}, mod, text+"-include $(TOP)/configure/RELEASE_PATHS.local\n")
	require.Equal(t, paths, files["RELEASE_PATHS.local"])
	require.NotContains(t, files, "RELEASE", "what it reads already is enough")

	require.NotContains(t, b.configureFiles(&recipe.Image{}, mod, ""), "RELEASE", "there is none to add to")
}

// make takes the file that stands in a folder that is skipped before the
// folder's own, and finds nothing to do.
func TestASkippedFolderIsDone(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/Makefile", []byte("all install install.linux-x86_64:\n\tfalse\n"), 0o644))
	require.Error(t, exec.Command("make", "-C", dir, "install").Run())
	require.NoError(t, os.WriteFile(dir+"/GNUmakefile", []byte(skippedMakefile), 0o644))
	for _, target := range []string{"", "install", "install.linux-x86_64", "clean"} {
		out, err := exec.Command("make", "-s", "-C", dir, target).CombinedOutput()
		if target == "" {
			out, err = exec.Command("make", "-s", "-C", dir).CombinedOutput()
		}
		require.NoError(t, err, "%s: %s", target, out)
	}
}

// A module whose need failed fails with the need's command; only the first is
// shown.
func TestEchoesOfAFailureAreLeftOut(t *testing.T) {
	img := &recipe.Image{Name: "a", File: "a.yaml"}
	cause := &dagger.ExecError{Cmd: makeAll, ExitCode: 2, Stderr: "a.c:3: error: unknown type name"}
	other := errors.New("the engine is gone")
	err := withoutEchoes([]error{
		moduleFault("building", img, recipe.ModuleRef{Name: "asyn", Ref: "R4-45", Line: 3}, cause, "mend it"),
		moduleFault("building", img, recipe.ModuleRef{Name: "motor", Ref: "R7-4", Line: 4}, cause, "mend it"),
		nil,
		moduleFault("building", img, recipe.ModuleRef{Name: "own", Line: 5}, other, "mend it"),
	})
	faults := diag.All(err)
	require.Len(t, faults, 2)
	require.EqualError(t, faults[0], "a.yaml:3: building asyn R4-45 for a: make: exit status 2; mend it\n"+
		"  a.c:3: error: unknown type name")
	require.EqualError(t, faults[1], "a.yaml:5: building own of the tree for a: the engine is gone; "+
		"see that the engine runs and has space left on its disk, then run it again")
	require.NoError(t, withoutEchoes([]error{nil, nil}))
}

func TestAModuleIsMendedWhereItsSourceIs(t *testing.T) {
	require.Equal(t, "mend it in modules/limit", mendModule(&recipe.Module{Folder: "modules/limit"}))
	require.Equal(t, "name another ref of it, or mend it with a patch in generic-iocs/support/asyn.yaml",
		mendModule(&recipe.Module{Git: "https://a/asyn", File: "generic-iocs/support/asyn.yaml"}))
	img := &recipe.Image{File: "generic-iocs/a/image.yaml", IOC: &recipe.IOC{}}
	require.Equal(t, "the recipe", iocSource(img))
	img.IOC.Source = "source"
	require.Equal(t, "generic-iocs/a/source", iocSource(img))
}

func TestPromises(t *testing.T) {
	mod := &recipe.Module{
		DBDs: []string{"asyn.dbd"}, Libs: []string{"asyn", "$(EPICS_BASE_IOC_LIBS)"}, Files: []string{"db/x.proto"},
	}
	var paths []string
	for _, p := range promises(mod) {
		for _, n := range p.names {
			paths = append(paths, p.paths(n)...)
		}
	}
	require.Equal(t, []string{
		"dbd/asyn.dbd", "lib/linux-x86_64/libasyn.so", "lib/linux-x86_64/libasyn.a", "db/x.proto",
	}, paths)
	require.Equal(t, []string{"asyn", "$(EPICS_BASE_IOC_LIBS)"}, mod.Libs, "the recipe is not changed")
	require.Equal(t, "none", list(nil))
	require.Equal(t, "a.dbd, b.dbd", list([]string{"dbd/a.dbd", "dbd/b.dbd"}))
	require.Equal(t, "1, 2, 3, 4, 5, 6, 7, 8 and others", list([]string{"1", "2", "3", "4", "5", "6", "7", "8", "9"}))
}
