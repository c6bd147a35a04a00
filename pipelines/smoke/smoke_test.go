package smoke

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/recipe"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// Of two boots each fault is told once, with the log of the boot that it is of.
func TestJudge(t *testing.T) {
	const ca = "@answers 1\nprotocol ca\n"
	answered := func(log, answers string) string { return strings.Replace(log, ca, ca+answers, 1) }
	log := func(name, text string) string { return name + "\n" + text }
	unknown := red + " st.cmd line 3: Command fooBar not found.\n"
	const fooBar = folder + "/st.cmd:3: Command fooBar not found."
	five, value := "5", "is 4, not 5"
	s := subject(faultyScript)
	s.Name, s.File, s.Restart = "ioc-x", "values.yaml", true
	s.Checks = []recipe.Check{{PV: "X:A", Line: 7, Put: &five}}
	passed := []string{
		"started, 2 PVs, stopped with exit status 0", "X:A is served (ca)", "X:A is 5 (ca, after a restart)",
	}
	for name, test := range map[string]struct {
		first, second string
		faults        []string
		log           string // its first line
	}{
		"good":          {answered(goodEnd, "0 ca ok\n"), answered(goodEnd, "0 ca ok\n"), nil, ""},
		"in both boots": {unknown + goodEnd, unknown + goodEnd, []string{fooBar}, "first"},
		"in the first":  {unknown + goodEnd, goodEnd, []string{fooBar}, "first"},
		"in the second": {goodEnd, unknown + goodEnd, []string{fooBar}, "second"},
		"not put": {answered(goodEnd, "0 ca "+value+"\n"), goodEnd,
			[]string{"values.yaml:7: ioc-x: X:A " + value + " over ca"}, "first"},
		"not restored": {answered(goodEnd, "0 ca ok\n"), answered(goodEnd, "0 ca "+value+"\n"),
			[]string{"values.yaml:7: ioc-x: X:A " + value + " over ca after a restart"}, "second"},
	} {
		var result record.Test
		s.judge(&result, readBoots("@log 1\n"+log("first", test.first)+"@log 2\n"+log("second", test.second)))
		require.Equal(t, test.faults, result.Faults, name)
		require.Equal(t, test.faults == nil, result.Passed, name)
		require.Len(t, result.PVs, 2, name)
		if test.faults == nil {
			require.Equal(t, passed, result.Evidence, name)
			require.Empty(t, result.Log, name)
			continue
		}
		require.Empty(t, result.Evidence, "%s: what failed proves nothing", name)
		first, _, _ := strings.Cut(result.Log, "\n")
		require.Equal(t, test.log, first, name)
	}
}

// A log is told by its last lines.
func TestTail(t *testing.T) {
	b := &bootLog{}
	for i := range 50 {
		b.add("log", fmt.Sprint("line ", i))
	}
	require.Len(t, strings.Split(b.tail(40), "\n"), 40)
	require.True(t, strings.HasPrefix(b.tail(40), "line 10\n"))
	require.True(t, strings.HasSuffix(b.tail(60), "\nline 49"))
}

// What an instance sets goes before what Tagline sets, and ioc-run watches no PV where
// none is named.
func TestEnvironment(t *testing.T) {
	s := Subject{Name: "ioc-x", Grace: 30}
	require.Equal(t, map[string]string{
		"IOC_NAME": "ioc-x", "HOME": "/tmp", "IOC_RUN_GRACE": "30", "IOC_RUN_WITHIN": "120s",
	}, s.environment())
	s.ProbePV, s.Advances, s.Env = "X:A", true, map[string]string{"HOME": "/epics/autosave"}
	got := s.environment()
	require.Equal(t, "/epics/autosave", got["HOME"])
	require.Equal(t, []string{"X:A", "ca", "yes"},
		[]string{got["IOC_RUN_PV"], got["IOC_RUN_PROTOCOL"], got["IOC_RUN_ADVANCES"]})
	s.Protocol = "pva"
	require.Equal(t, "pva", s.environment()["IOC_RUN_PROTOCOL"])
}
