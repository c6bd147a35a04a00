package smoke

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/startup"
)

const folder = "beamlines/bl01t/iocs/bl01t-mo-ioc-01/config"

// subject has the start-up script whose log the tests read.
func subject(script string) Subject {
	return Subject{Name: "bl01t-mo-ioc-01", Folder: folder, Config: map[string][]byte{
		"st.cmd": []byte(script), "more.cmd": []byte("# more\nfooBar 2\n"),
		"stages.substitutions": []byte("file x {\n"),
		"stage.db":             []byte("record(ai, \"A\") {\n"),
	}}
}

const (
	running = "Starting iocInit\niocRun: All initialization complete\n"
	ended   = "@started\n"
	rest    = "@pvs\nX:A,\"ai\"\nA:B,\"bo\"\n@exit 0\n"
	goodEnd = running + ended + rest
)

func TestBootOfAGoodIOC(t *testing.T) {
	b := readBoot("< st.cmd\r\niocInit\n" + goodEnd)
	require.Empty(t, b.faults(subject("iocInit\n")))
	require.Equal(t, []record.PV{{Name: "A:B", Type: "bo"}, {Name: "X:A", Type: "ai"}}, b.pvs)
	require.Equal(t, 0, b.exit)
	require.True(t, b.started)
}

func TestFaultsNameTheLine(t *testing.T) {
	const script = "# a comment\ndbLoadRecords \"a.db\"\nfooBar 1\n\ndbLoadRecords \"missing.db\"\n" +
		"dbLoadRecords \"macro.db\", \"Q=X\"\n< gone.cmd\n< more.cmd\ndbLoadTemplate \"stages.substitutions\"\n" +
		"dbLoadRecords \"$(X)\"\ndbLoadRecords \"stage.db\"\niocInit\n"
	const red = "\x1b[31;1mERROR\x1b[0m"
	tests := map[string]struct{ log, want string }{
		"unknown command": {
			"# a comment\ndbLoadRecords \"a.db\"\nfooBar 1\n" + red + " st.cmd line 3: Command fooBar not found.\n" +
				"iocInit\n" + goodEnd,
			":3: Command fooBar not found.",
		},
		"missing database": {
			"dbLoadRecords \"a.db\"\n" +
				"dbLoadRecords \"missing.db\"\n" + red + " failed to load 'missing.db'\niocInit\n" + goodEnd,
			":5: ERROR failed to load 'missing.db'",
		},
		"undefined macro in a database": {
			"dbLoadRecords \"macro.db\", \"Q=X\"\n" +
				"macLib: macro P is undefined (expanding string record(ai,\"$(P):B\"){}\n)\n" +
				"Warning: 'macro.db' line 1 has undefined macros\niocInit\n" + goodEnd,
			":6: macLib: macro P is undefined (expanding string record(ai,\"$(P):B\"){}; " +
				"Warning: 'macro.db' line 1 has undefined macros",
		},
		"undefined macro in the script, whose line is not echoed": {
			"dbLoadRecords \"a.db\"\nmacLib: macro X is undefined (expanding string dbLoadRecords \"$(X)\")\n" +
				"iocInit\n" + goodEnd,
			":10: macLib: macro X is undefined (expanding string dbLoadRecords \"$(X)\")",
		},
		"missing script": {
			"< gone.cmd\nCan't open gone.cmd: No such file or directory\niocInit\n" + goodEnd,
			":7: Can't open gone.cmd: No such file or directory",
		},
		"in another script": {
			"< more.cmd\n# more\nfooBar 2\n" + red + " more.cmd line 2: Command fooBar not found.\niocInit\n" + goodEnd,
			"more.cmd:2: Command fooBar not found.",
		},
		"in substitutions": {
			"dbLoadTemplate \"stages.substitutions\"\nSubstitution file error: syntax error\nline 1: '{'\n" +
				"iocInit\n" + goodEnd,
			"stages.substitutions:1: Substitution file error: syntax error",
		},
		"in a database of the config folder": {
			"dbLoadRecords \"stage.db\"\n" + red + ": syntax error\n at or before '' in file \"stage.db\" line 2\n" +
				"iocInit\n" + goodEnd,
			"stage.db:2: ERROR: syntax error",
		},
		"no iocInit": {
			"dbLoadRecords \"a.db\"\n" + ended + rest,
			": the IOC did not reach the end of iocInit; end the start-up script with iocInit",
		},
		"no end of the script": {
			"dbLoadRecords \"a.db\"\niocInit\n" + running + rest,
			": the start-up script has not ended within 2m0s, and the last command was that of " + folder +
				"/st.cmd:12; speed it up, or allow more in startup.within",
		},
		"no PVs": {
			"iocInit\n" + running + ended + "@exit 0\n",
			": the IOC serves no PVs; load a database",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			want := folder + "/st.cmd" + test.want
			if !strings.HasPrefix(test.want, ":") {
				want = folder + "/" + test.want
			}
			require.Equal(t, []string{want}, readBoot(test.log).faults(subject(script)))
		})
	}
}

func TestStopsBadly(t *testing.T) {
	good := "iocInit\n" + goodEnd
	for exit, want := range map[string]string{
		"@exit 124": "bl01t-mo-ioc-01: the IOC did not stop within its grace period; its main program must leave on SIGTERM",
		"@exit 139": "bl01t-mo-ioc-01: the IOC stopped with exit status 139; see the log",
	} {
		require.Equal(
			t, []string{want}, readBoot(strings.Replace(good, "@exit 0", exit, 1)).faults(subject("iocInit\n")),
		)
	}
}

// What drivers print is recorded, and does not refuse; the time it was printed
// at would make each record another.
func TestNotes(t *testing.T) {
	log := "save_restore: Can't open file '/epics/autosave/a.sav'. Trying backup file.\n" +
		"2026/11/26 19:20:21.123 asynManager: queueRequest failed for port L0\niocInit\n" + goodEnd
	s := subject("iocInit\n")
	b := readBoot(log)
	require.Empty(t, b.faults(s))
	require.Equal(t, []string{
		folder + "/st.cmd: asynManager: queueRequest failed for port L0",
		folder + "/st.cmd: save_restore: Can't open file '/epics/autosave/a.sav'. Trying backup file.",
	}, b.notes(s))
	s.Startup = startup.Rules{Allow: []startup.Pattern{{Line: "queueRequest", Why: "absent in CI"}},
		Refuse: []startup.Pattern{{Line: `\.sav'`, Why: "all have one"}}}
	require.Empty(t, b.notes(s))
	require.Len(t, b.faults(s), 1)
}

func TestReadTrace(t *testing.T) {
	require.Equal(t, []string{"/epics/ioc/ioc", "/epics/support/table/data/table.txt",
		"/lib/x86_64-linux-gnu/libc.so.6"}, readTrace(
		`7 execve("/epics/ioc/ioc", ["/epics/ioc/ioc", "/smoke/boot.cmd"], 0x7ffc /* 20 vars */) = 0`+"\n"+
			`7 openat(AT_FDCWD, "/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY|O_CLOEXEC) = 3`+"\n"+
			`7 openat(AT_FDCWD, "/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY|O_CLOEXEC) = 3`+"\n"+
			`9 openat(AT_FDCWD, "st.cmd", O_RDONLY) = 4`+"\n"+
			`9 openat(AT_FDCWD, "/epics/config/axis.db", O_RDONLY) = 4`+"\n"+
			`9 openat(AT_FDCWD, "/epics/ioc/../support/table/data/table.txt", O_RDONLY) = 4`+"\n"+
			`9 openat(AT_FDCWD, "/tmp/boot.pvs", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 4`+"\n"+
			`9 openat(AT_FDCWD, "/epics", O_RDONLY|O_NONBLOCK|O_CLOEXEC|O_DIRECTORY) = 4`+"\n"))
}

func TestReadsWhatClientsPrint(t *testing.T) {
	require.Equal(t, map[string]string{"A:B": "5", "C": "Out of limits"},
		readCaget("A:B\t5\nC\tOut of limits\nD\t*** Not connected (PV not found)\n"))
	require.Equal(t, map[string]string{"A:B": "5.5", "S": "te,xt", "E": "Moving", "N": "NaN", "W": "[1.0,2.0]"},
		readPvget(
			`A:B {value:5.5,alarm:{severity:0,status:0,message:"NO_ALARM"}}`+"\n"+
				`S  {value:"te,xt",alarm:{severity:0}}`+"\n"+
				`E {value:{index:1,choices:["Done", "Moving"]},alarm:{severity:3}}`+"\n"+
				`N {value:NaN,alarm:{severity:3}}`+"\n"+
				`W {value:[1.0,2.0],alarm:{severity:3}}`+"\nTimeout\nNOPE "))
}

func TestJudge(t *testing.T) {
	num := func(f float64) *float64 { return &f }
	text := func(s string) *string { return &s }
	tests := []struct {
		check  recipe.Check
		value  string
		served bool
		before string
		want   string
	}{
		{recipe.Check{}, "1", true, "", ""},
		{recipe.Check{}, "", false, "", "is not served"},
		{recipe.Check{Value: text("5")}, "5.000", true, "", ""},
		{recipe.Check{Value: text("5")}, "4.9", true, "", "is 4.9, not 5,"},
		{recipe.Check{Value: text("Done")}, "Moving", true, "", "is Moving, not Done,"},
		{recipe.Check{Advances: true}, "3", true, "3", "stays at 3"},
		{recipe.Check{Advances: true}, "4", true, "3", ""},
		{recipe.Check{Min: num(1), Max: num(2)}, "0", true, "", "is 0, below 1,"},
		{recipe.Check{Min: num(1), Max: num(2)}, "2.5", true, "", "is 2.5, above 2,"},
		{recipe.Check{Max: num(2)}, "x", true, "", `is "x", not a number,`},
	}
	for _, test := range tests {
		require.Equal(t, test.want, judge(test.check, test.value, test.served, test.before))
	}
}

func TestRounds(t *testing.T) {
	put := "1"
	got := rounds([]recipe.Check{{PV: "a"}, {PV: "b"}, {PV: "c", Put: &put}, {PV: "d"}, {PV: "e", Put: &put}, {PV: "f",
		Put: &put}})
	var shape [][]string
	for _, round := range got {
		var names []string
		for _, ch := range round {
			names = append(names, ch.PV)
		}
		shape = append(shape, names)
	}
	require.Equal(t, [][]string{{"a", "b"}, {"c"}, {"d"}, {"e"}, {"f"}}, shape)
}
