package startup_test

import (
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/startup"
)

// A line is split as the IOC shell splits it: what is certain to fail there is refused,
// and nothing else.
func TestLinesAsTheShellReadsThem(t *testing.T) {
	const gone = " is not in the config folder; add it, or correct the name"
	const open = "c/st.cmd:1: a quote is open at the end of the line; close it"
	const idle = "c/st.cmd: nothing in the start-up script starts the IOC; end it with iocInit"
	for script, want := range map[string]string{
		"dbLoadTemplate 'stages.substitutions'\niocInit":      "",
		"dbLoadTemplate 'no.substitutions'\niocInit":          "c/st.cmd:1: no.substitutions" + gone,
		"dbLoadTemplate(no.substitutions,P=A)\niocInit":       "c/st.cmd:1: no.substitutions" + gone,
		"\tdbLoadTemplate\tno.substitutions\niocInit":         "c/st.cmd:1: no.substitutions" + gone,
		"dbLoadTemplate stages\\.substitutions\niocInit":      "",
		"dbLoadTemplate \"no one.txt\"\niocInit":              "c/st.cmd:1: no one.txt" + gone,
		"dbLoadTemplate no\" one\".txt\niocInit":              "c/st.cmd:1: no one.txt" + gone,
		"dbLoadTemplate\niocInit":                             "",
		"dbLoadTemplate \"\"\niocInit":                        "",
		"dbLoadTemplate $(A)\niocInit":                        "",
		"dbLoadTemplate db\\a\niocInit":                       "c/st.cmd:1: dba" + gone,
		"dbLoadTemplate 'db\\a'\niocInit":                     "",
		"<\niocInit":                                          "",
		"< no.cmd":                                            "c/st.cmd:1: no.cmd" + gone,
		"iocshLoad no.cmd":                                    "c/st.cmd:1: no.cmd" + gone,
		"iocshRun \"no.cmd\"":                                 "",
		"echo < no.cmd\niocInit":                              "",
		"chdir /tmp\ndbLoadTemplate x.substitutions\niocInit": "",
		"cd /tmp\ndbLoadRecords Stage.db\niocInit":            "",
		"dbLoadRecords Stage.db\ncd /tmp\niocInit": `c/st.cmd:1: Stage.db is not in the config folder; ` +
			`did you mean "stage.db"?`,
		"dbLoadDatabase Stage.db\niocInit": `c/st.cmd:1: Stage.db is not in the config folder; ` +
			`did you mean "stage.db"?`,
		"dbLoadRecords stages.db\niocInit":       "",
		"dbLoadRecords\niocInit":                 "",
		"iocBuild\niocRun":                       "",
		"iocRun\n":                               idle,
		"echo iocInit":                           idle,
		"#iocInit":                               idle,
		"epicsEnvSet A 'b\niocInit":              open,
		"epicsEnvSet A \"b'\niocInit":            open,
		"epicsEnvSet A \"b'c\"\niocInit":         "",
		"epicsEnvSet A \"C:\\\"\niocInit":        "",
		"epicsEnvSet A \\\"\niocInit":            "",
		"epicsEnvSet A \"$(B)\niocInit":          "",
		"# it's\niocInit":                        "",
		"iocInit # it's":                         idle + "\n" + open,
		"< a\u202eb.cmd":                         "c/st.cmd:1: a\u202eb.cmd" + gone,
		"dbLoadTemplate \"a\x01b\"\niocInit":     "",
		"dbLoadRecords(\"Gr\xfcn.db\")\niocInit": "",
	} {
		_, err := startup.Config(fstest.MapFS{
			"c/stages.substitutions": {}, "c/stage.db": {}, "c/st.cmd": {Data: []byte(script)},
		}, "c")
		if want == "" {
			assert.NoError(t, err, script)
			continue
		}
		assert.EqualError(t, err, want, script)
	}
}

// A pattern that can't be read picks nothing, and no rule makes a silent line quieter.
func TestRulesThatPickNothing(t *testing.T) {
	broken := []startup.Pattern{{Line: "(", Why: "x"}}
	rules := startup.Rules{Allow: broken, Refuse: broken}
	assert.Equal(t, startup.Silence, rules.Judge("iocRun: (All initialization complete"))
	assert.Equal(t, startup.Fault, rules.Judge("ERROR ("))
	all := startup.Rules{Allow: []startup.Pattern{{Line: "", Why: "x"}}}
	assert.Equal(t, startup.Silence, all.Judge("iocRun: All initialization complete"))
	both := startup.Rules{
		Allow: []startup.Pattern{{Line: "L0", Why: "x"}}, Refuse: []startup.Pattern{{Line: "port", Why: "x"}},
	}
	assert.Equal(t, startup.Fault, both.Judge("port L0 not connected"), "what is refused is not allowed")
	for within, want := range map[string]time.Duration{
		"": 2 * time.Minute, "90s": 90 * time.Second, "1h": time.Hour, "soon": 2 * time.Minute,
	} {
		assert.Equal(t, want, startup.Rules{Within: within}.Duration(), within)
	}
}

// The rules of an instance go before those of its image, and neither changes the other.
func TestRulesOverOthers(t *testing.T) {
	pattern := func(line string) startup.Pattern { return startup.Pattern{Line: line, Why: "x"} }
	mine := startup.Rules{Allow: make([]startup.Pattern, 1, 8), Refuse: []startup.Pattern{pattern("b")}}
	mine.Allow[0] = pattern("a")
	image := startup.Rules{
		Within: "3m", Allow: []startup.Pattern{pattern("c")}, Refuse: []startup.Pattern{pattern("d")},
	}
	over := mine.Over(image)
	require.Equal(t, startup.Rules{
		Within: "3m", Allow: []startup.Pattern{pattern("a"), pattern("c")},
		Refuse: []startup.Pattern{pattern("b"), pattern("d")},
	}, over)
	mine.Over(startup.Rules{Allow: []startup.Pattern{pattern("z")}})
	require.Equal(t, "c", over.Allow[1].Line)
	back, err := startup.ParseRules(over.String())
	require.NoError(t, err)
	require.Equal(t, over, back)
}

// The echo of a line is that line and nothing more, blank lines and comments have none,
// and a script that runs itself is followed so far.
func TestTheCursorKnowsItsLines(t *testing.T) {
	c := startup.NewCursor(map[string][]byte{
		"st.cmd": []byte("\n# iocInit\n  echo \"$(A)$(B)\" x\t\n< a/../b.cmd\niocInit\n"), "b.cmd": []byte("echo b"),
	})
	for _, log := range []string{"", "# iocInit", "iocInitX", "X iocInit", "echo \"\" y", "echo ab x"} {
		assert.False(t, c.Echo(log), log)
	}
	assert.True(t, c.Echo("\techo \"ab\" x"))
	_, line := c.Place()
	assert.Equal(t, 3, line)
	assert.False(t, c.Echo("echo \"ab\" x"), "it ran")
	assert.True(t, c.Echo("< a/../b.cmd"))
	file, line := c.Place()
	assert.Equal(t, "b.cmd", file)
	assert.Zero(t, line)
	assert.Empty(t, c.Argument(), "nothing of it ran")
	assert.True(t, c.Echo("iocInit"), "the script that it was called by goes on")
	file, line = c.Place()
	assert.Equal(t, "st.cmd", file)
	assert.Equal(t, 5, line)
	c.Unread("iocInit echo b # iocInit")
	file, line = c.Place()
	assert.Equal(t, "st.cmd", file, "what has ended is not gone back to")
	assert.Equal(t, 5, line)

	itself := startup.NewCursor(map[string][]byte{"st.cmd": []byte("< st.cmd\n")})
	depth := 0
	for line := 0; line == 0; _, line = itself.Place() {
		require.True(t, itself.Echo("< st.cmd"))
		depth++
	}
	assert.Equal(t, 32, depth)
	gone := startup.NewCursor(map[string][]byte{"st.cmd": []byte("< gone.cmd\necho <\niocInit\n")})
	require.True(t, gone.Echo("< gone.cmd"))
	file, line = gone.Place()
	assert.Equal(t, "st.cmd", file)
	assert.Equal(t, 1, line)
	gone.Unread("macLib: macro X is undefined (expanding string echo <)")
	_, line = gone.Place()
	assert.Equal(t, 2, line)
}
