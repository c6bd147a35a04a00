package image

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/recipe"
)

// tree writes files below a folder, by path.
func tree(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.MkdirAll(filepath.Dir(root+"/"+name), 0o755))
		require.NoError(t, os.WriteFile(root+"/"+name, []byte(text), 0o644))
	}
	return root
}

// The files of an image are counted for the Debian package, the folder of /epics or
// nobody that they are of, and what the engine brings for nobody.
func TestSizesAreOfTheirOwners(t *testing.T) {
	root := tree(t, map[string]string{
		"var/lib/dpkg/info/libc6:amd64.list": "/lib\n/lib/libc.so.6\n/etc/ld.so.conf\n",
		"var/lib/dpkg/info/bash.list":        "/usr\n/usr/bin\n/usr/bin/bash\n/usr/share/a file\n",
		"usr/lib/libc.so.6":                  strings.Repeat("x", 30),
		"etc/ld.so.conf":                     "xx",
		"usr/bin/bash":                       strings.Repeat("x", 100),
		"usr/share/a file":                   "x",
		"opt/mine":                           "xxx",
		"epics/epics-base/bin/caget":         "1234",
		"epics/support/asyn/lib/libasyn.so":  "12345",
		"epics/support/asyn/db/asyn.db":      "1",
		"epics/ioc/bin/ioc":                  "1234567",
		"etc/hosts":                          "the engine's",
		".init":                              "the engine's",
	})
	require.NoError(t, os.Symlink("bash", root+"/usr/bin/sh"))
	script := strings.NewReplacer(
		"/var/lib/dpkg", root+"/var/lib/dpkg", "find / ", "find "+root+"/ ", "-path '/.", "-path '"+root+"/.",
		"-path /etc", "-path "+root+"/etc", "%s %p", "%s /%P",
	).Replace(sizesScript)
	out, err := exec.Command("sh", "-c", script).CombinedOutput()
	require.NoError(t, err, "%s", out)
	owners := readOwners(string(out))
	require.Positive(t, owners["other"])
	delete(owners, "other") // dpkg's lists too, whose size is not ours
	require.Equal(t, map[string]int64{
		"Debian bash": 101, "Debian libc6": 32, "epics-base": 4, "asyn": 6, "ioc": 7,
	}, owners)
}

// runTests runs the tests of a module that has this makefile, and returns what is
// printed.
func runTests(t *testing.T, makefile string) (string, error) {
	t.Helper()
	dir := tree(t, map[string]string{"Makefile": makefile})
	cmd := exec.Command("sh", "-c", strings.ReplaceAll(testsScript, "/tmp/runtests", dir+"/printed"))
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// A module's tests are built and run, and a build with a test that fails, or
// without any, fails.
func TestAModulesTestsMustPass(t *testing.T) {
	const build = "SKIPPED = test\nall:\n\t@test -z '$(SKIPPED)' && touch built\nruntests: \n\t@test -e built\n"
	out, err := runTests(t, build+"\t@echo ok 1 - reads\n\t@echo Files=1, Tests=1\n")
	require.NoError(t, err, out)
	require.Contains(t, out, "Files=1, Tests=1\n")
	out, err = runTests(t, build+"\t@echo ok 1 - reads\n\t@echo not ok 2 - writes; echo Files=1; exit 1\n")
	require.Error(t, err)
	require.Contains(t, out, "not ok 2 - writes\n")
	require.NotContains(t, out, "ok 1 - reads\n", "what passed is left out")
	out, err = runTests(t, build)
	require.Error(t, err)
	require.Contains(t, out, "error: make runtests ran no test\n")
	_, err = runTests(t, "all:\n\tfalse\nruntests:\n\t@echo Files=1\n")
	require.Error(t, err, "what does not build is not tested")
}

// One command builds a module, takes away what its makefiles left, and keeps what its dbds and
// those of its needs say. It ends where make fails.
func TestAModuleIsBuiltByOneCommand(t *testing.T) {
	recipes := &recipe.Tree{Modules: map[string]*recipe.Module{
		"asyn":  {Name: "asyn", DBDs: []string{"asyn.dbd"}},
		"motor": {Name: "motor", Needs: []string{"asyn"}, DBDs: []string{"motor.dbd"}},
		"tools": {Name: "tools"},
	}}
	run := func(module, makefile string) (root, out string, err error) {
		root = tree(t, map[string]string{
			"motor/Makefile": makefile, "tools/Makefile": makefile, "asyn/dbd/asyn.dbd": "driver(asyn)\n",
		})
		script := strings.NewReplacer("/epics/support", root, builtDBDs, root+"/dbds").Replace(
			Builder{Tree: recipes}.buildScript(recipes.Modules[module]))
		cmd := exec.Command("sh", "-c", script)
		cmd.Dir = root + "/" + module
		text, err := cmd.CombinedOutput()
		return root, string(text), err
	}
	const build = "all:\n\t@mkdir -p dbd src/O.linux-x86_64 O.Common && echo 'driver(motor)' >dbd/motor.dbd\n"
	root, out, err := run("motor", build)
	require.NoError(t, err, out)
	dbds, err := os.ReadFile(root + "/dbds")
	require.NoError(t, err)
	require.Equal(t, "@dbd asyn.dbd\n@dbd motor.dbd\n"+
		"@dbd asyn.dbd\ndriver(asyn)\n@dbd motor.dbd\ndriver(motor)\n", string(dbds))
	require.DirExists(t, root+"/motor/src")
	require.NoDirExists(t, root+"/motor/src/O.linux-x86_64")
	require.NoDirExists(t, root+"/motor/O.Common")

	root, out, err = run("tools", build)
	require.NoError(t, err, out)
	require.NoFileExists(t, root+"/dbds", "it promises none")

	root, out, err = run("motor", "all:\n\t@mkdir O.Common; echo 'a.c:3: error: no'; exit 1\n")
	require.Error(t, err)
	require.Contains(t, out, "a.c:3: error: no")
	require.DirExists(t, root+"/motor/O.Common", "it ended at once")
}

// make leaves out the folders of EPICS Base that hold tests and examples, and what
// depends on them, but for a module whose tests are wanted.
func TestFoldersOfTestsAreLeftOut(t *testing.T) {
	dir := tree(t, map[string]string{"Makefile": "DIRS = src test testApp src/unittest unitTests exampleApp tested.db\n" +
		"src_DEPEND_DIRS = configure test\n" + noTests + "all:\n\t@echo $(DIRS) / $(src_DEPEND_DIRS)\n"})
	out, err := exec.Command("make", "-s", "-C", dir).CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Equal(t, "src / configure\n", string(out))
	out, err = exec.Command("make", "-s", "-C", dir, "SKIPPED=").CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "src test testApp ")
}

// dbdScript prints each file under its name, without what can't name a file, a record type
// or a device, and passes over folders without any.
func TestDBDsArePrintedByName(t *testing.T) {
	root := tree(t, map[string]string{
		"base/dbd/base.dbd": "# of EPICS Base\n\n  menu(m) {\n\tchoice(C, \"c\")\n}\n" +
			"recordtype(ai) {\n\tfield(NAME, DBF_STRING) {\n\t\tprompt(\"Name\")\n\t}\n}",
		"motor/dbd/motor.dbd": "include \"base.dbd\"\ndevice(motor,\n  VME_IO, devMotor, \"Motor\")\n",
		"motor/dbd/none.dbd":  "", "motor/dbd/README": "no dbd",
	})
	folders := []string{root + "/base/dbd", root + "/asyn/dbd", root + "/motor/dbd"}
	out, err := exec.Command("sh", append([]string{"-c", dbdScript, "sh"}, folders...)...).Output()
	require.NoError(t, err)
	require.Contains(t, string(out), "@dbd base.dbd\nrecordtype(ai) {\n@dbd motor.dbd\n")
	all := readDBDs(string(out))
	require.Len(t, all, 3)
	require.Contains(t, all, "none.dbd")
	require.Equal(t, []string{"ai"}, all["base.dbd"].RecordTypes)
	require.Equal(t, []string{"motor"}, all["motor.dbd"].Devices)
	require.Equal(t, []string{"base.dbd"}, all["motor.dbd"].Includes)
	out, err = exec.Command("sh", "-c", dbdScript, "sh", root+"/asyn/dbd").CombinedOutput()
	require.NoError(t, err)
	require.Empty(t, out)
}
