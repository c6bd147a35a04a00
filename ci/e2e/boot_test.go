package e2e

import (
	"fmt"
	"maps"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/release"
	"github.com/tagline-ci/tagline/pipelines/smoke"
	"github.com/tagline-ci/tagline/pipelines/source"
	"github.com/tagline-ci/tagline/pipelines/tree"
)

// listener counts by what name it is spoken to.
type listener struct {
	mu    sync.Mutex
	heard map[string]int
}

func (l *listener) hear(name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard[name]++
}

// all returns what was heard, and forgets it.
func (l *listener) all() map[string]int {
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.heard
	l.heard = map[string]int{}
	return was
}

// listenIn opens ports on every address of this machine, that of the engine's bridge
// among them, and returns the environment that makes an IOC search for PVs there.
func listenIn(t *testing.T) (*listener, map[string]string) {
	t.Helper()
	host, _, err := net.SplitHostPort(env.Registry)
	require.NoError(t, err)
	l := &listener{heard: map[string]int{}}
	packets := func(name string) string {
		conn, err := net.ListenPacket("udp4", ":0")
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		go func() {
			for buffer := make([]byte, 2048); ; l.hear(name) {
				if _, _, err := conn.ReadFrom(buffer); err != nil {
					return
				}
			}
		}()
		return fmt.Sprintf("%s:%d", host, conn.LocalAddr().(*net.UDPAddr).Port)
	}
	stream, err := net.Listen("tcp4", ":0")
	require.NoError(t, err)
	t.Cleanup(func() { stream.Close() })
	go func() {
		for ; ; l.hear("Channel Access by TCP") {
			conn, err := stream.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	return l, map[string]string{
		"EPICS_CA_ADDR_LIST":    packets("Channel Access by UDP"),
		"EPICS_PVA_ADDR_LIST":   packets("pvAccess by UDP"),
		"EPICS_CA_NAME_SERVERS": fmt.Sprintf("%s:%d", host, stream.Addr().(*net.TCPAddr).Port),
	}
}

// stageIOC returns the generic IOC of the simulated stage, built from the tree, to be
// booted with a start-up script of its own.
func stageIOC(t *testing.T, lines, records string) (smoke.Tester, smoke.Subject) {
	t.Helper()
	client := engine(t)
	repo, err := tree.Open(locked)
	require.NoError(t, err)
	var items []string
	for from, to := range env.Mirrors {
		items = append(items, from+"="+to)
	}
	mirrors, err := source.ParseMirrors(items)
	require.NoError(t, err)
	img, err := release.Builder{Client: client, Mirrors: mirrors}.Image(t.Context(), repo, "HEAD", "ioc-simstage")
	require.NoError(t, err)
	script := "dbLoadDatabase \"/epics/ioc/dbd/ioc.dbd\"\nioc_registerRecordDeviceDriver(pdbbase)\n" +
		"simstageConfig(\"STAGE\", 200, -100, 100)\n" + lines +
		"dbLoadRecords \"simstage.template\", \"P=T:,M=STAGE,PORT=STAGE\"\n" +
		"dbLoadRecords \"heartbeat.template\", \"P=T:\"\ndbLoadRecords \"more.db\"\niocInit\n"
	return smoke.Tester{Client: client}, smoke.Subject{
		Name: "ioc-simstage", Folder: "config", File: "image.yaml", User: "1000:1000", Grace: 30,
		Runtime: img.Runtime, Clients: img.Developer,
		Config: map[string][]byte{"st.cmd": []byte(script), "more.db": []byte(records)},
	}
}

// TestABootTouchesNothing starts one IOC twice: as a container of the engine, where it
// is heard to search for PVs, and as a boot, where it is not.
func TestABootTouchesNothing(t *testing.T) {
	l, environ := listenIn(t)
	tester, s := stageIOC(t, "", "record(ai, \"T:CA\") { field(INP, \"NOBODY:CA CP\") }\n"+
		"record(ai, \"T:PVA\") { field(INP, {pva: {pv: \"NOBODY:PVA\", proc: \"CP\"}}) }\n")
	s.Env = environ
	_, err := tester.Container(s).WithEnvVariable("TOKEN", environ["EPICS_CA_ADDR_LIST"]).
		WithExec([]string{"sh", "-c", "timeout -s KILL 10 /epics/ioc/ioc st.cmd || true"}).Sync(t.Context())
	require.NoError(t, err)
	require.Len(t, l.all(), 3, "the test does not hear what it should")

	s.Checks = []recipe.Check{{PV: "T:HEARTBEAT", Advances: true}}
	test, err := tester.Run(t.Context(), s)
	require.NoError(t, err)
	require.True(t, test.Passed, "%v\n%s", test.Faults, test.Log)
	require.Empty(t, l.all(), "a boot was heard")
}

// TestIOCsOfABatchAreApart boots three IOCs in one container. Two serve PVs of the same
// names, and each reads one that the other serves; the third one's script is wrong.
func TestIOCsOfABatchAreApart(t *testing.T) {
	tester, s := stageIOC(t, "", "")
	boot := func(name, own, other string) smoke.Subject {
		one := s
		one.Name, one.Config = name, maps.Clone(s.Config)
		one.Config["more.db"] = fmt.Appendf(nil, "record(ai, \"%s:X\") { field(PINI, \"YES\") }\n"+
			"record(ai, \"%s:READS\") { field(INP, \"%s:X CP\") }\n", own, own, other)
		one.Checks = []recipe.Check{
			{PV: "T:HEARTBEAT", Advances: true}, {PV: own + ":READS", Severity: "INVALID"},
		}
		return one
	}
	wrong := boot("ioc-3", "C", "A")
	wrong.Config["st.cmd"] = append([]byte("noSuchCommand\n"), wrong.Config["st.cmd"]...)
	batch := []smoke.Subject{boot("ioc-1", "A", "B"), boot("ioc-2", "B", "A"), wrong}
	require.Len(t, smoke.Batches(batch), 1)
	tests, err := tester.RunAll(t.Context(), batch)
	require.NoError(t, err)
	for i, test := range tests {
		require.Equal(t, batch[i].Name, test.Of)
		require.Equal(t, i < 2, test.Passed, "%s: %v\n%s", test.Of, test.Faults, test.Log)
	}
	require.Len(t, tests[2].Faults, 1)
	require.Contains(t, tests[2].Faults[0], "config/st.cmd:1: Command noSuchCommand not found")

	// One that serves what it reads has no alarm, so the check can fail.
	alone, err := tester.Run(t.Context(), boot("ioc-4", "A", "A"))
	require.NoError(t, err)
	require.Len(t, alone.Faults, 2, "%v", alone.Faults)
	require.Contains(t, alone.Faults[0], "A:READS")
}

// TestABootWaits boots an IOC that serves pvAccess alone, and whose start-up script goes
// on for some time after iocInit: it is asked when the script has ended.
func TestABootWaits(t *testing.T) {
	tester, s := stageIOC(t, "", "record(ai, \"T:LATE\") {}\n")
	s.Config["st.cmd"] = append(s.Config["st.cmd"], "epicsThreadSleep 8\ndbpf \"T:LATE\", \"7\"\n"...)
	s.Env = map[string]string{"EPICS_IOC_IGNORE_SERVERS": "rsrv"}
	s.ProbePV, s.Protocol, s.Advances = "T:HEARTBEAT", "pva", true
	s.Checks = []recipe.Check{{PV: "T:LATE", Value: text("7"), Within: 1}}
	test, err := tester.Run(t.Context(), s)
	require.NoError(t, err)
	require.True(t, test.Passed, "%v\n%s", test.Faults, test.Log)
	require.Equal(t, "T:LATE is 7 (pva)", strings.Join(test.Evidence[1:], ", "))
	require.Greater(t, len(test.PVs), 10)
}

// TestAnIOCIsAsked asks for 5,000 PVs at once, for each thing that can be asked, over
// both protocols, and again after a restart. What does not hold is told, each by itself.
func TestAnIOCIsAsked(t *testing.T) {
	const many = 5000
	var records strings.Builder
	var checks []recipe.Check
	for n := range many {
		fmt.Fprintf(&records, "record(ao, \"T:MANY%d\") { field(VAL, \"%d\") field(PINI, \"YES\") }\n", n, n)
		checks = append(checks, recipe.Check{PV: fmt.Sprintf("T:MANY%d", n), Value: text(fmt.Sprint(n))})
	}
	tester, s := stageIOC(t, "simstageKeep(\"/epics/autosave/stages\")\n", records.String())
	s.Restart = true
	s.Checks = append(checks,
		recipe.Check{PV: "T:HEARTBEAT", Advances: true},
		recipe.Check{PV: "T:STAGE:RBV", Min: number(0), Max: number(0), Units: "mm", Type: "double"},
		recipe.Check{PV: "T:STAGE:DMOV", Value: text("Done"), Type: "enum", Severity: "NO_ALARM"},
		recipe.Check{PV: "T:STAGE:VAL", Put: text("5"), Reads: "T:STAGE:RBV", Value: text("5")},
	)
	test, err := tester.Run(t.Context(), s)
	require.NoError(t, err)
	require.True(t, test.Passed, "%.2000s\n%s", strings.Join(test.Faults, "\n"), test.Log)
	for _, want := range []string{
		"T:MANY4999 is 4999 (ca)", "T:MANY4999 is 4999 (pva)",
		"T:HEARTBEAT advances (ca)", "T:HEARTBEAT advances (pva)",
		"T:STAGE:RBV is at least 0, is at most 0, is in mm, is of type double (pva)",
		"T:STAGE:DMOV is Done, has the severity NO_ALARM, is of type enum (ca)",
		"T:STAGE:RBV is 5 (pva)", "T:STAGE:VAL is 5 (ca, after a restart)", "T:STAGE:VAL is 5 (pva, after a restart)",
	} {
		require.Contains(t, test.Evidence, want)
	}
	require.Len(t, test.Evidence, 1+2*(many+4)+2)

	tester, s = stageIOC(t, "", "record(ai, \"T:BAD\") { field(INP, \"0\") field(EGU, \"mm\") field(PINI, \"YES\") }\n")
	for i, check := range []recipe.Check{
		{PV: "T:NOBODY"}, {PV: "T:BAD", Value: text("1")},
		{PV: "T:BAD", Min: number(1)}, {PV: "T:BAD", Max: number(-1)},
		{PV: "T:BAD", Units: "deg"}, {PV: "T:BAD", Severity: "MAJOR"}, {PV: "T:BAD", Type: "enum"},
		{PV: "T:BAD", Advances: true}, {PV: "T:STAGE:VAL", Put: text("5"), Reads: "T:STAGE:RBV", Value: text("6")},
	} {
		check.Line, check.Within = i+1, 1
		s.Checks = append(s.Checks, check)
	}
	test, err = tester.Run(t.Context(), s)
	require.NoError(t, err)
	for _, over := range []string{"ca", "pva"} {
		for i, want := range []string{
			"T:NOBODY is not served", "T:BAD is 0, not 1,", "T:BAD is 0, below 1,", "T:BAD is 0, above -1,",
			"T:BAD is in mm, not in deg,", "T:BAD has the severity NO_ALARM, not MAJOR,",
			"T:BAD is of type double, not enum,",
			"T:BAD stays at 0", "T:STAGE:RBV is 5, not 6,",
		} {
			require.Contains(t, test.Faults, fmt.Sprintf("image.yaml:%d: ioc-simstage: %s over %s", i+1, want, over))
		}
	}
}

func text(s string) *string { return &s }

func number(f float64) *float64 { return &f }
