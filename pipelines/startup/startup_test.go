package startup_test

import (
	"bytes"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/startup"
)

func TestPVPattern(t *testing.T) {
	pv := regexp.MustCompile(startup.PVPattern)
	for _, name := range []string{
		"BL01T-MO-STAGE-01:RBV", "SIM:M1.RBV", "a", "x_y;z<1>[2]+3", "REC.DESC$", "M1.S_4", strings.Repeat("A",
			60), strings.Repeat("A", 60) + ".VAL",
	} {
		assert.True(t, pv.MatchString(name), name)
	}
	for _, name := range []string{
		"", "-w", "+A", "[A", "$(P)RBV", "A " +
			"B", "A.val", "A.", ".VAL", "A.VAL.VAL", "A\n", "A{}", "A/B", strings.Repeat("A", 61),
	} {
		assert.False(t, pv.MatchString(name), name)
	}
}

// What can't be known to fail is left to the IOC that is booted.
func TestScript(t *testing.T) {
	for _, c := range []struct{ name, script, want string }{
		{"good", "dbLoadTemplate(\"stages.substitutions\")\niocInit", ""},
		{"no parentheses", "dbLoadTemplate stages.substitutions, P=A\niocInit()\n", ""},
		{"windows", "dbLoadTemplate \"stages.substitutions\"\r\niocInit\r\n", ""},
		{"in the image", "dbLoadRecords(\"iocAdminSoft.db\", \"IOC=A\")\niocInit", ""},
		{"by path", "dbLoadTemplate(\"/epics/support/a/db/a.substitutions\")\n< /epics/support/a/a.cmd\n", ""},
		{"by macro", "< $(A).cmd\niocInit", ""},
		{"macro with quote", "epicsEnvSet(\"A\", $(B=\"))\niocInit", ""},
		{"comment", "# don't\n  # dbLoadTemplate x\niocInit", ""},
		{"escaped", "epicsEnvSet A don\\'t\niocInit", ""},
		{"backslash in quotes", "epicsEnvSet(\"A\", \"\\n\")\niocInit", ""},
		{"elsewhere", "< more.cmd", ""},
		{"after cd", "cd /tmp\n< other.cmd\n", ""},
		{"redirected", "iocInit\ndbl > /tmp/pvs", ""},
		{"redirected at once", "iocInit>/tmp/log\ndbl>>/tmp/pvs", ""},
		{"of another age", "#!../../bin/linux-x86/ioc\n\n## Register all support components\ncd ${TOP}\n" +
			"dbLoadDatabase(\"dbd/ioc.dbd\",0,0)\n< envPaths\nld < ../../bin/vxWorks-ppc604/iocLib.munch\n" +
			"dbLoadRecords(\"db/ioc.db\",\"user=ajp\")\ndbLoadRecords(\"db\\ioc.db\")\niocInit()\nseq &ioc,\"user=ajp\"\n", ""},
		{"many lines", strings.Repeat("dbLoadRecords(\"stage.db\", \"P=$(P=$(Q=x))\")\n", 20_000) + "iocInit\n", ""},
		{"envPaths", "< envPaths\ncd ${TOP}\niocInit()\n",
			"c/st.cmd:1: envPaths is not in the config folder; add it, or correct the name"},
		{"another case", "IocInit\n", "c/st.cmd: nothing in the start-up script starts the IOC; end it with iocInit"},
		{"byte order mark", "\xef\xbb\xbf# comment\niocInit\n", "c/st.cmd:1: the text begins with a byte order mark, " +
			"which the IOC shell takes for part of the first command; save it as UTF-8 without a byte order mark"},
		{"UTF-16", "\xff\xfei\x00o\x00c\x00",
			"c/st.cmd:1: the text begins with a byte order mark, " +
				"which the IOC shell takes for part of the first command; save it as UTF-8 without a byte order mark"},
		{"empty", "", "c/st.cmd: nothing in the start-up script starts the IOC; end it with iocInit"},
		{
			"commented out", "# iocInit\n",
			"c/st.cmd: nothing in the start-up script starts the IOC; end it with iocInit",
		},
		{"template", "dbLoadTemplate(\"stage.substitutions\")\niocInit", `c/st.cmd:1: stage.substitutions is not in the config folder; did you mean "stages.substitutions"?`},
		{
			"script", "\n<nobody.cmd\n",
			"c/st.cmd:2: nobody.cmd is not in the config folder; add it, or correct the name",
		},
		{"loaded", "iocshLoad(\"nobody.cmd\", \"A=B\")",
			"c/st.cmd:1: nobody.cmd is not in the config folder; add it, or correct the name"},
		{"case", "dbLoadRecords(\"Stage.db\")\niocInit", `c/st.cmd:1: Stage.db is not in the config folder; did you mean "stage.db"?`},
		{"order", "dbLoadRecords(\"satge.db\")\niocInit", `c/st.cmd:1: satge.db is not in the config folder; did you mean "stage.db"?`},
		{"quote", "epicsEnvSet(\"A, B)\niocInit", "c/st.cmd:1: a quote is open at the end of the line; close it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tree := fstest.MapFS{"c/stages.substitutions": {}, "c/stage.db": {}, "c/more.cmd": {},
				"c/st.cmd": {Data: []byte(c.script)}}
			files, err := startup.Config(tree, "c")
			assert.Equal(t, []string{"more.cmd", "st.cmd", "stage.db", "stages.substitutions"},
				slices.Sorted(maps.Keys(files)))
			if c.want == "" {
				require.NoError(t, err)
				return
			}
			assert.EqualError(t, err, c.want)
		})
	}
}

// Whatever a script is, what is refused in it has a place, one line and a fix.
func FuzzScript(f *testing.F) {
	f.Add([]byte("dbLoadTemplate(\"x\n< y\\\n\"'\x00\n"))
	f.Fuzz(func(t *testing.T, script []byte) {
		files, err := startup.Config(fstest.MapFS{"c/st.cmd": {Data: script}}, "c")
		for _, one := range diag.All(err) {
			var fault *diag.Error
			require.ErrorAs(t, one, &fault)
			assert.Equal(t, diag.Invalid, fault.Kind)
			assert.Equal(t, "c/st.cmd", fault.File)
			assert.LessOrEqual(t, fault.Line, bytes.Count(script, []byte("\n"))+1)
			assert.NotEmpty(t, fault.Fix)
			assert.Equal(t, -1, strings.IndexFunc(fault.Error(), unicode.IsControl), "control character in %q", fault)
		}
		assert.Equal(t, map[string][]byte{"st.cmd": script}, files)
	})
}
