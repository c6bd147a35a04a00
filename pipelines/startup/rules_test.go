package startup_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/startup"
	"github.com/tagline-ci/tagline/pipelines/strictyaml"
)

func TestJudge(t *testing.T) {
	for line, want := range map[string]startup.Class{
		"iocRun: All initialization complete":                                    startup.Silence,
		"# an error in a comment":                                                startup.Silence,
		"ERROR st.cmd line 3: Command fooBar not found.":                         startup.Fault,
		"st.cmd line 4: Illegal integer 'x'":                                     startup.Fault,
		"Can't open gone.cmd: No such file or directory":                         startup.Fault,
		"ERROR simstageConfig(\"A\", 0, 0, 1): velocity must be above 0":         startup.Fault,
		"ERROR failed to load 'missing.db'":                                      startup.Fault,
		"macLib: macro P is undefined (expanding string x)":                      startup.Fault,
		"Warning: 'a.db' line 1 has undefined macros":                            startup.Fault,
		"Substitution file error: syntax error":                                  startup.Fault,
		"iocBuild: Aborting, bad database definition (DBD)!":                     startup.Fault,
		"device support devAiX not found":                                        startup.Fault,
		"A:B.INP: failed to initialize link type 3 with \"x\" (type 0)":          startup.Fault,
		"ioc: error while loading shared libraries: libx.so: cannot open":        startup.Fault,
		"save_restore: Can't open file '/epics/autosave/a.sav'. Trying backup":   startup.Note,
		"2026/11/26 10:00:00.1 drvAsynIPPort: Unable to connect L0, device:4001": startup.Note,
		"asyn: queueRequest failed":                                              startup.Note,
		"port L0 not connected":                                                  startup.Note,
		"CA.Client.Exception: timed out":                                         startup.Note,
	} {
		assert.Equal(t, want, startup.Rules{}.Judge(line), line)
	}
}

func TestRulesMoveLines(t *testing.T) {
	rules := startup.Rules{
		Allow:  []startup.Pattern{{Line: "^ERROR st.cmd line 3", Why: "x"}, {Line: "not connected$", Why: "x"}},
		Refuse: []startup.Pattern{{Line: "very quiet", Why: "x"}, {Line: "port SAFETY not connected", Why: "x"}},
	}
	assert.Equal(t, startup.Note, rules.Judge("ERROR st.cmd line 3: Command fooBar not found."))
	assert.Equal(t, startup.Silence, rules.Judge("port L0 not connected"))
	assert.Equal(t, startup.Fault, rules.Judge("port SAFETY not connected"))
	assert.Equal(t, startup.Fault, rules.Judge("a very quiet line"))
}

func TestRulesTravel(t *testing.T) {
	rules := startup.Rules{Within: "3m", Allow: []startup.Pattern{{Line: "a", Why: "b"}}}
	back, err := startup.ParseRules(rules.String())
	require.NoError(t, err)
	assert.Equal(t, rules, back)
	assert.Equal(t, 3*time.Minute, rules.Duration())
	none, err := startup.ParseRules("")
	require.NoError(t, err)
	assert.Equal(t, 2*time.Minute, none.Duration())
	_, err = startup.ParseRules("{")
	require.Error(t, err)
	over := startup.Rules{Within: "5m", Refuse: []startup.Pattern{{Line: "c", Why: "d"}}}.Over(rules)
	assert.Equal(
		t, startup.Rules{Within: "5m", Allow: rules.Allow, Refuse: []startup.Pattern{{Line: "c", Why: "d"}}}, over,
	)
	assert.Equal(t, "3m", startup.Rules{}.Over(rules).Within)
}

// The cursor is where the shell is: in scripts that others run, and after lines
// whose macros the echo has expanded.
func TestCursor(t *testing.T) {
	c := startup.NewCursor(map[string][]byte{
		"st.cmd": []byte(
			"epicsEnvSet P, X\n\n< more.cmd\ndbLoadTemplate(\"a.substitutions\", \"P=$(P)\")\niocInit\n",
		),
		"more.cmd": []byte("# nothing\niocshLoad(\"again.cmd\", \"A=B\")\n" +
			"echo $(P=1) ${P}\n"), "again.cmd": []byte("echo again\r\n"),
	})
	for _, step := range []struct {
		log  string
		file string
		line int
		is   bool
	}{
		{"epicsEnvSet P, X", "st.cmd", 1, true},
		{"something else", "st.cmd", 1, false},
		{"< more.cmd", "more.cmd", 0, true},
		{"iocshLoad(\"again.cmd\", \"A=B\")", "again.cmd", 0, true},
		{"echo again", "again.cmd", 1, true},
		{"echo 1 X", "more.cmd", 3, true},
		{"dbLoadTemplate(\"a.substitutions\", \"P=X\")", "st.cmd", 4, true},
	} {
		assert.Equal(t, step.is, c.Echo(step.log), step.log)
		file, line := c.Place()
		assert.Equal(t, step.file, file, step.log)
		assert.Equal(t, step.line, line, step.log)
	}
	assert.Equal(t, "a.substitutions", c.Argument())
}

// What a macro's name and default are made of does not show in the echo of its line.
func TestEchoOfMacros(t *testing.T) {
	for _, c := range []struct {
		script, log string
		is          bool
	}{
		{`dbLoadRecords("a.db", "P=$(P),R=1")`, `dbLoadRecords("a.db", "P=X:,R=1")`, true},
		{`dbLoadRecords("a.db", "P=$(A=$(B=x)),R=1")`, `dbLoadRecords("a.db", "P=x,R=1")`, true},
		{`dbLoadRecords("a.db", "P=$(A=$(B=$(C=x)):),R=1")`, `dbLoadRecords("a.db", "P=x:,R=1")`, true},
		{`epicsEnvSet("A", "${B=$(C)}/${D}")`, `epicsEnvSet("A", "x/y")`, true},
		{`epicsEnvSet("A", "$(B$(C))")`, `epicsEnvSet("A", "x")`, true},
		{`epicsEnvSet("A", "$(B=(x)$(C))")`, `epicsEnvSet("A", "(x1)")`, true},
		{`epicsEnvSet("A", "${B")`, `epicsEnvSet("A", "${B")`, true},
		{`epicsEnvSet("A", "$(B)${C")`, `epicsEnvSet("A", "x")`, false},
		{`dbLoadRecords("a.db", "P=$(A=$(B=x)),R=1")`, `dbLoadRecords("a.db", "P=x,R=2")`, false},
		{`epicsEnvSet("A", "$B")`, `epicsEnvSet("A", "x")`, false},
	} {
		cursor := startup.NewCursor(map[string][]byte{"st.cmd": []byte("\n" + c.script + "\niocInit\n")})
		assert.Equal(t, c.is, cursor.Echo(c.log), c.script)
	}
}

// A log need not be one of the script: neither ends the cursor.
func TestCursorAtItsEnds(t *testing.T) {
	none := startup.NewCursor(nil)
	assert.False(t, none.Echo("iocInit"))
	file, line := none.Place()
	assert.Equal(t, "st.cmd", file)
	assert.Zero(t, line)
	assert.Empty(t, none.Argument(), "nothing ran")

	itself := startup.NewCursor(map[string][]byte{"st.cmd": []byte("< st.cmd\necho last\niocInit\n")})
	for range 100 {
		assert.True(t, itself.Echo("< st.cmd"))
		if _, line := itself.Place(); line > 0 {
			break // as deep as it is followed
		}
	}
	assert.True(t, itself.Echo("echo last"))
	assert.Empty(t, startup.NewCursor(map[string][]byte{"st.cmd": []byte("iocInit\n")}).Argument())
}

// FuzzCursor: whatever a script is, the echo of a line without macros is that line.
func FuzzCursor(f *testing.F) {
	f.Add("echo $(A=$(B=x))\n< st.cmd\niocInit\n", "echo x")
	f.Add("\xff$(\n${)}\r\n#-\n*+?.(\n", "macLib: macro x")
	f.Fuzz(func(t *testing.T, script, log string) {
		files := map[string][]byte{"st.cmd": []byte(script)}
		other := startup.NewCursor(files)
		other.Unread(log)
		other.Echo(log)
		_, line := other.Place()
		assert.LessOrEqual(t, line, strings.Count(script, "\n")+1)
		cursor := startup.NewCursor(files)
		for _, text := range strings.Split(script, "\n") {
			if text = strings.TrimSpace(text); text != "" && text[0] != '#' && len(script) < 10_000 {
				assert.True(t, cursor.Echo(text), "%q", text)
			}
		}
	})
}

// A pattern that can't be read, that would pick every line, or that has no reason
// is refused where it stands.
func TestRulesAreChecked(t *testing.T) {
	type file struct {
		Startup startup.Rules `json:"startup"`
	}
	schema := strictyaml.New[file]("File", "A file.")
	for text, want := range map[string]string{
		"within: 90s":   "",
		"within: 1h30m": `x.yaml:2: "1h30m" is no time to start; write it as in 90s, 3m or 1h`,
		"within: 0s":    `x.yaml:2: "0s" is no time to start; write it as in 90s, 3m or 1h`,
		"allow: [{line: ok, why: it is}, {line: '(', why: x}]": "x.yaml:2: \"(\": error parsing regexp: " +
			"missing closing ): `(`; write a regular expression of RE2",
		"refuse: [{line: '', why: x}]": `x.yaml:2: "": it is empty, and would pick every line; ` +
			"write a regular expression of RE2",
		"refuse: [{line: ')', why: x}]\n  allow: [{line: '(', why: x}]": "x.yaml:2: \")\": error parsing regexp: " +
			"unexpected ): `)`; write a regular expression of RE2\nx.yaml:3: \"(\": error parsing regexp: " +
			"missing closing ): `(`; write a regular expression of RE2",
		"refuse: [{line: a, why: ''}]": `x.yaml:2: the pattern "a" has no reason; add why`,
	} {
		f, doc, err := schema.Read("x.yaml", []byte("startup:\n  "+text+"\n"))
		require.NoError(t, err, text)
		var faults diag.Faults
		faults.Add(errors.Join(f.Startup.Check(doc, strictyaml.Path{"startup"})...))
		err = faults.Err()
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.EqualError(t, err, want, text)
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
}
