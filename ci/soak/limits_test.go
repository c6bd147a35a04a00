package main

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/ci/fleet"
)

// Watching many IOCs takes a tenth of a processor for each hundred; of few, what else the
// machine does is most of it.
func TestWhatSupervisionMayTake(t *testing.T) {
	for iocs, want := range map[int]float64{3: 0.5, 49: 0.5, 50: 0.1, 100: 0.1, 200: 0.2, 1000: 1} {
		assert.InDelta(t, want, mostSupervision(iocs), 1e-9, iocs)
	}
}

// What is at its limit has not grown; one more has, and each that has is told with its
// numbers.
func TestWhatGrewIsTold(t *testing.T) {
	at := func(memory, files, threads int) result {
		r := steady()
		u := r.After.Kinds["kube-apiserver"]
		u.Memory, u.Files, u.Threads = memory, files, threads
		r.After.Kinds["kube-apiserver"] = u
		return r
	}
	assert.NoError(t, at(463e6, 130, 44).fault())
	err := at(464e6, 131, 45).fault()
	assert.EqualError(t, err, "kube-apiserver: memory: 300 MB before, 464 MB after, at most 463 MB\n"+
		"kube-apiserver: file descriptors: 100 before, 131 after, at most 130\n"+
		"kube-apiserver: threads: 20 before, 45 after, at most 44")
	r := steady()
	r.After.Secrets, r.After.Pods = r.IOCs*revisions, r.IOCs
	assert.NoError(t, r.fault(), "ten releases of each IOC are kept")
	r.After.Secrets++
	assert.EqualError(t, r.fault(), "Helm secrets: 40 before, 101 after, at most 100")
}

// A kind of process that is there at the end alone has grown from nothing.
func TestAKindThatAppears(t *testing.T) {
	r := steady()
	r.After.Kinds["helper"] = usage{Processes: 1, Memory: 65e6, Files: 3, Threads: 1}
	assert.EqualError(t, r.fault(), "helper: memory: 0 MB before, 65 MB after, at most 64 MB")
}

func TestFigures(t *testing.T) {
	for want, c := range map[string]struct {
		n    float64
		unit string
	}{
		"0": {0, ""}, "9": {9, ""}, "9.99 MB": {9.99, " MB"}, "10 MB": {10, " MB"}, "463 MB": {463.4, " MB"},
	} {
		assert.Equal(t, want, figure(c.n, c.unit))
	}
}

func TestWhichProcessIsAnIOC(t *testing.T) {
	for line, want := range map[string]bool{
		"": false, "/epics/ioc/ioc st.cmd": true, "/epics/ioc/bin/linux-x86_64/sim st.cmd": true,
		"/epics/ioc-run/ioc-run /epics/ioc/ioc st.cmd": false, "sh -c /epics/ioc/ioc": false,
	} {
		assert.Equal(t, want, isIOC(strings.Fields(line)), line)
	}
}

// How often something is done is what its weight says.
func TestActionsArePickedByWeight(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	all := []action{{name: "never"}, {name: "one", weight: 1}, {name: "three", weight: 3}}
	picked := map[string]int{}
	for range 4000 {
		picked[pick(rng, all).name]++
	}
	assert.Zero(t, picked["never"])
	assert.InDelta(t, 1000, picked["one"], 150)
	assert.InDelta(t, 3000, picked["three"], 150)
}

// The same seed draws the same actions, so that a run that failed can be made again.
func TestASeedIsARun(t *testing.T) {
	draw := func() (names []string) {
		rng := rand.New(rand.NewPCG(7, 0))
		for range 50 {
			names = append(names, pick(rng, (&soaked{Fleet: &fleet.Fleet{}}).actions()).name)
		}
		return names
	}
	assert.Equal(t, draw(), draw())
}

// The table has what happened and what is left, each in an order that does not change.
func TestTheWholeTable(t *testing.T) {
	r := steady()
	r.Done = map[string]int{"status": 2, "rollback": 3, "rollback, put back": 1}
	text := r.table(time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC), "m")
	rows := strings.Split(text, "\n")
	require.Greater(t, len(rows), 8)
	assert.Equal(t, []string{
		"| what happened | times |", "|---|---|", "| rollback | 3 |", "| rollback, put back | 1 |",
		"| status | 2 |", "",
		"| what is left | before | after | at most |", "|---|---|---|---|", "| zombies | 0 | 0 | 0 |",
		"| pods | 10 | 10 | 10 |",
	}, rows[2:12])
	assert.NotContains(t, text, "missed")
	assert.Less(t, strings.Index(text, "| IOCs: memory"), strings.Index(text, "| kube-apiserver: memory"))
}
