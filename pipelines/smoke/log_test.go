package smoke

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

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
	ended   = "ioc-run: the start-up script has ended, after 2 s\nioc-run: SIGTERM: stopping the IOC\n"
	rest    = "@pvs 1\nX:A,\"ai\"\nA:B,\"bo\"\n@answers 1\nprotocol ca\n@exit 1 0\n"
	goodEnd = running + ended + rest
)

// boot reads the log of one boot, as boot.sh prints it.
func boot(t *testing.T, log string) *bootLog {
	boots := readBoots("@log 1\n" + log)
	require.Len(t, boots, 1)
	return boots[0]
}

func TestBootOfAGoodIOC(t *testing.T) {
	b := boot(t, "\x1b[?2004lecho \"x\"\r\niocInit\n"+goodEnd)
	require.Empty(t, b.faults(subject("iocInit\n")))
	require.Equal(t, []record.PV{{Name: "A:B", Type: "bo"}, {Name: "X:A", Type: "ai"}}, b.pvs)
	require.Equal(t, 0, b.exit)
	require.True(t, b.started)
	require.Equal(t, []string{"protocol ca"}, b.answers)
}

const faultyScript = "# a comment\ndbLoadRecords \"a.db\"\nfooBar 1\n\ndbLoadRecords \"missing.db\"\n" +
	"dbLoadRecords \"macro.db\", \"Q=X\"\n< gone.cmd\n< more.cmd\ndbLoadTemplate \"stages.substitutions\"\n" +
	"dbLoadRecords \"$(X)\"\ndbLoadRecords \"stage.db\"\niocInit\n"
const red = "\x1b[31;1mERROR\x1b[0m"

// faultyLogs are logs of starts that failed, with the place and the text that
// the fault is to have.
var faultyLogs = map[string]struct{ log, want string }{
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
		"dbLoadRecords \"a.db\"\nioc-run: the start-up script has not ended within 120 s; ending the IOC\n@exit 1 1\n",
		": the start-up script has not ended within 120 s; speed it up, or allow more in startup.within; " +
			"the last command was that of " + folder + "/st.cmd:2",
	},
	"silent probe": {
		"iocInit\n" + running + ended +
			"ioc-run: the probe PV A:B has not answered within 120 s of the start; ending the IOC\n@exit 1 1\n",
		": the probe PV A:B has not answered within 120 s of the start; see that the IOC serves probePV, or allow more in " +
			"startup.within",
	},
	"ends early": {
		"iocInit\n" + running + "@exit 1 139\n",
		": the IOC ended with exit status 139 before its start-up script did; the last command was that of " +
			folder + "/st.cmd:12; see the log",
	},
	"no PVs": {
		"iocInit\n" + running + ended + "@exit 1 0\n",
		": the IOC serves no PVs; load a database",
	},
}

func TestFaultsNameTheLine(t *testing.T) {
	for name, test := range faultyLogs {
		t.Run(name, func(t *testing.T) {
			want := folder + "/st.cmd" + test.want
			if !strings.HasPrefix(test.want, ":") {
				want = folder + "/" + test.want
			}
			require.Equal(t, []string{want}, boot(t, test.log).faults(subject(faultyScript)))
		})
	}
}

func TestStopsBadly(t *testing.T) {
	good := "iocInit\n" + goodEnd
	for exit, want := range map[string]string{
		"137": "bl01t-mo-ioc-01: the IOC did not stop within its grace period and was killed; " +
			"look for an exit handler or a command of stop.cmd that waits",
		"139": "bl01t-mo-ioc-01: the IOC stopped with exit status 139; see the log",
	} {
		out := strings.Replace(good, "@exit 1 0", "@exit 1 "+exit, 1)
		require.Equal(t, []string{want}, boot(t, out).faults(subject("iocInit\n")))
	}
}

// What drivers print is recorded, and does not refuse; the time it was printed
// at would make each record another.
func TestNotes(t *testing.T) {
	log := "save_restore: Can't open file '/epics/autosave/a.sav'. Trying backup file.\n" +
		"2026/11/26 19:20:21.123 asynManager: queueRequest failed for port L0\niocInit\n" +
		"epics> epics> 2026-11-27T03:44:07.519 drvX: Unable to connect to 10.0.0.1\n" + goodEnd
	s := subject("iocInit\n")
	b := boot(t, log)
	require.Empty(t, b.faults(s))
	require.Equal(t, []string{
		folder + "/st.cmd: save_restore: Can't open file '/epics/autosave/a.sav'. Trying backup file.",
		folder + "/st.cmd: asynManager: queueRequest failed for port L0",
		folder + "/st.cmd: drvX: Unable to connect to 10.0.0.1",
	}, b.notes(s))
	s.Startup = startup.Rules{Allow: []startup.Pattern{{Line: "queueRequest", Why: "absent in CI"}},
		Refuse: []startup.Pattern{{Line: `\.sav'`, Why: "all have one"}}}
	require.Len(t, b.notes(s), 1)
	require.Len(t, b.faults(s), 1)
}

func TestReadTrace(t *testing.T) {
	require.Equal(t, []string{
		"/epics/ioc/ioc", "/epics/support/table/data/table.txt", "/lib/x86_64-linux-gnu/libc.so.6",
	}, readTrace(
		`7 execve("/epics/ioc/ioc", ["/epics/ioc/ioc", "st.cmd"], 0x7ffc /* 20 vars */) = 0`+"\n"+
			`7 openat(AT_FDCWD, "/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY|O_CLOEXEC) = 3`+"\n"+
			`7 openat(AT_FDCWD, "/lib/x86_64-linux-gnu/libc.so.6", O_RDONLY|O_CLOEXEC) = 3`+"\n"+
			`9 openat(AT_FDCWD, "st.cmd", O_RDONLY) = 4`+"\n"+
			`9 openat(AT_FDCWD, "/epics/config/axis.db", O_RDONLY) = 4`+"\n"+
			`9 openat(AT_FDCWD, "/epics/ioc/../support/table/data/table.txt", O_RDONLY) = 4`+"\n"+
			`9 openat(AT_FDCWD, "/tmp/boot.pvs", O_WRONLY|O_CREAT|O_TRUNC, 0666) = 4`+"\n"+
			`9 openat(AT_FDCWD, "/epics", O_RDONLY|O_NONBLOCK|O_CLOEXEC|O_DIRECTORY) = 4`+"\n"))
}
