package image

import (
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// motors is a tree with an image that has EPICS Base, and one on it with an IOC of
// the module motor, which needs asyn and busy.
func motors() (Builder, *recipe.Image) {
	base := &recipe.Image{Name: "epics-base", Modules: []recipe.ModuleRef{{Name: "epics-base", Ref: "R7.0.8.1"}}}
	img := &recipe.Image{
		Name: "ioc-motor", File: "generic-iocs/ioc-motor/image.yaml", IOC: &recipe.IOC{Modules: []string{"motor"}},
		Modules: []recipe.ModuleRef{{Name: "motor"}, {Name: "asyn"}, {Name: "busy"}},
	}
	img.Parent.Asset = "epics-base"
	return Builder{Tree: &recipe.Tree{
		Images: map[asset.Name]*recipe.Image{"epics-base": base, "ioc-motor": img},
		Modules: map[string]*recipe.Module{
			"epics-base": {
				Name: "epics-base", Macro: "EPICS_BASE", DBDs: []string{"base.dbd"},
				Libs: []string{"$(EPICS_BASE_IOC_LIBS)"},
			},
			"asyn": {Name: "asyn", Macro: "ASYN", DBDs: []string{"asyn.dbd"}, Libs: []string{"asyn"}},
			"busy": {
				Name: "busy", Macro: "BUSY", Needs: []string{"asyn"},
				DBDs: []string{"busySupport.dbd"}, Libs: []string{"busy"},
			},
			"motor": {
				Name: "motor", Macro: "MOTOR", Needs: []string{"asyn", "busy"},
				DBDs: []string{"asyn.dbd", "motorSupport.dbd"}, Libs: []string{"motorSimSupport", "motor"},
			},
		},
	}}, img
}

// built writes the IOC application to a folder, with EPICS's own rules replaced by
// some that print what they are told.
func built(t *testing.T, b Builder, img *recipe.Image) string {
	t.Helper()
	files, err := b.iocData(img).files()
	require.NoError(t, err)
	files["configure/CONFIG"] = "include $(TOP)/configure/RELEASE\n"
	files["configure/RULES"] = "all:\n\t@echo $(PROD_IOC) $(DBD)\n\t@echo $(ioc_DBD)\n" +
		"\t@echo $(ioc_LIBS)\n\t@echo $(ioc_SRCS)\n"
	return tree(t, files)
}

// The IOC has the dbds of its modules and of all that they need, needs first and
// each once, and is linked the other way round.
func TestTheIOCIsMadeOfItsModules(t *testing.T) {
	b, img := motors()
	dir := built(t, b, img)
	make := exec.Command("make", "-s", "-C", dir+"/iocApp/src", "EPICS_BASE_IOC_LIBS=dbCore ca Com")
	out, err := make.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "ioc ioc.dbd\nbase.dbd asyn.dbd busySupport.dbd motorSupport.dbd\n"+
		"motorSimSupport motor busy asyn dbCore ca Com\n"+
		"ioc_registerRecordDeviceDriver.cpp main.cpp crash.cpp\n", string(out))
	for _, source := range []string{"main.cpp", "crash.cpp"} {
		require.FileExists(t, dir+"/iocApp/src/"+source)
	}
	release, err := os.ReadFile(dir + "/configure/RELEASE")
	require.NoError(t, err)
	require.Contains(t, string(release), "\nASYN = /epics/support/asyn\nBUSY = /epics/support/busy\n"+
		"MOTOR = /epics/support/motor\nEPICS_BASE = /epics/epics-base\n\n-include $(TOP)/configure/RELEASE.local\n")
}

// What RELEASE.local says wins over what was generated.
func TestReleaseLocalWins(t *testing.T) {
	b, img := motors()
	dir := built(t, b, img)
	require.NoError(t, os.WriteFile(dir+"/configure/RELEASE.local", []byte("ASYN = /mine\n"), 0o644))
	require.NoError(t, os.WriteFile(
		dir+"/Makefile", []byte("TOP = .\ninclude configure/RELEASE\nall:\n\t@echo $(ASYN) $(BUSY)\n"), 0o644,
	))
	out, err := exec.Command("make", "-s", "-C", dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "/mine /epics/support/busy\n", string(out))
}

// An image without modules of its own still has an IOC of EPICS Base.
func TestAnIOCOfEPICSBaseAlone(t *testing.T) {
	b, img := motors()
	img.IOC, img.Modules = &recipe.IOC{}, nil
	data := b.iocData(img)
	require.Equal(t, []iocModule{{"epics-base", "EPICS_BASE", "/epics/epics-base"}}, data.Modules)
	require.Equal(t, []string{"base.dbd"}, data.DBDs)
	require.Equal(t, []string{"$(EPICS_BASE_IOC_LIBS)"}, data.Libs)
}
