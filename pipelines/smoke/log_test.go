package smoke

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// subject has the start-up script whose log the tests read.
func subject(script string) Subject {
	return Subject{Name: "bl01t-mo-ioc-01", Folder: "beamlines/bl01t/iocs/bl01t-mo-ioc-01/config",
		Config: map[string][]byte{"st.cmd": []byte(script)}}
}

const goodEnd = "Starting iocInit\niocRun: All initialization complete\n@started\n@pvs\nX:A, \"ai\"\nA:B, " +
	"\"bo\"\n@exit 0\n"

func TestBootOfAGoodIOC(t *testing.T) {
	log := readBoot("< st.cmd\niocInit\n" + goodEnd)
	require.Empty(t, log.faults(subject("iocInit\n")))
	require.Equal(t, []record.PV{{Name: "A:B", Type: "bo"}, {Name: "X:A", Type: "ai"}}, log.pvs)
	require.Equal(t, 0, log.exit)
}

func TestFaultsNameTheLine(t *testing.T) {
	const script = "# a comment\ndbLoadRecords \"a.db\"\nfooBar 1\n\ndbLoadRecords \"missing.db\"\ndbLoadRecords " +
		"\"macro.db\", \"Q=X\"\n< gone.cmd\niocInit\n"
	const where = "beamlines/bl01t/iocs/bl01t-mo-ioc-01/config/st.cmd"
	tests := map[string]struct{ log, want string }{
		"unknown command": {
			"# a comment\ndbLoadRecords \"a.db\"\nfooBar 1\n\x1b[31;1mERROR\x1b[0m st.cmd line 3: Command fooBar not " +
				"found.\niocInit\n" + goodEnd,
			where + ":3: Command fooBar not found.",
		},
		"missing database": {
			"dbLoadRecords \"a.db\"\ndbLoadRecords \"missing.db\"\n\x1b[31;1mERROR\x1b[0m failed to load " +
				"'missing.db'\niocInit\n" + goodEnd,
			where + ":5: ERROR failed to load 'missing.db'",
		},
		"undefined macro, on several lines": {
			"dbLoadRecords \"macro.db\", \"Q=X\"\nmacLib: macro P is undefined (expanding string " +
				"record(ai,\"$(P):B\"){}\n)\nWarning: 'macro.db' line 1 has undefined macros\niocInit\n" + goodEnd,
			where + ":6: macLib: macro P is undefined (expanding string record(ai,\"$(P):B\"){}; Warning: 'macro.db' " +
				"line 1 has undefined macros",
		},
		"missing script": {
			"< gone.cmd\nCan't open gone.cmd: No such file or directory\niocInit\n" + goodEnd,
			where + ":7: Can't open gone.cmd: No such file or directory",
		},
		"no iocInit": {
			"dbLoadRecords \"a.db\"\n@started\n@pvs\n@exit 1\n",
			where + ": the IOC did not reach the end of iocInit; end the start-up script with iocInit",
		},
		"does not stop": {
			"iocInit\n" + strings.Replace(goodEnd, "@exit 0", "@exit 124", 1),
			"bl01t-mo-ioc-01: the IOC did not stop within its grace period; its main program must leave on SIGTERM",
		},
		"stops badly": {
			"iocInit\n" + strings.Replace(goodEnd, "@exit 0", "@exit 139", 1),
			"bl01t-mo-ioc-01: the IOC stopped with exit status 139; see the log",
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, []string{test.want}, readBoot(test.log).faults(subject(script)))
		})
	}
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
