package promote

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/helm"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/record"
)

func chartOf(digit string) asset.Ref {
	return asset.Ref("host/charts/x@sha256:" + strings.Repeat(digit, 64))
}

func rev(number int, status, digit string) helm.Revision {
	return helm.Revision{Number: number, Status: status, Beamline: "bl01t", Chart: strings.Repeat(digit, 63)}
}

// history names each instance's revisions, newest first.
type history = helm.History

func TestDecide(t *testing.T) {
	for name, c := range map[string]struct {
		history  history
		drifted  map[string]bool
		underway map[string]int
		same     []string
		restore  map[string]int
		deploy   []string
		remove   []string
		former   map[string]int
	}{
		"a first promotion": {deploy: []string{"a"}, former: map[string]int{"a": 0}},
		"what runs already": {
			history: history{"a": {rev(1, "deployed", "1")}}, same: []string{"a"}, former: map[string]int{},
		},
		"changed by hand": {history: history{"a": {rev(1, "deployed", "1")}}, drifted: map[string]bool{"a": true},
			restore: map[string]int{"a": 1}, former: map[string]int{"a": 1}},
		"another version": {
			history: history{"a": {rev(4, "deployed", "2"), rev(3, "superseded", "3")}}, deploy: []string{"a"},
			former: map[string]int{"a": 4},
		},
		"a version that ran before": {history: history{"a": {rev(2, "deployed", "2"), rev(1, "superseded", "1")}},
			restore: map[string]int{"a": 1}, former: map[string]int{"a": 2}},
		"killed in an upgrade": {history: history{"a": {rev(3, "pending-upgrade", "1"), rev(2, "deployed", "2")}},
			restore: map[string]int{"a": 3}, former: map[string]int{"a": 2}},
		"killed in its first install": {
			history: history{"a": {rev(1, "pending-install", "2")}}, deploy: []string{"a"},
			former: map[string]int{"a": 1},
		},
		"uninstalled before": {
			history: history{"a": {rev(1, "uninstalled", "2")}}, deploy: []string{"a"}, former: map[string]int{"a": 0},
		},
		"an IOC that is no more": {
			history: history{"a": {rev(1, "deployed", "1")}, "b": {rev(2, "deployed", "1")}}, same: []string{"a"},
			remove: []string{"b"}, former: map[string]int{"b": 2},
		},
		"an IOC that was no more already": {
			history: history{"a": {rev(1, "deployed", "1")}, "b": {rev(2, "uninstalled", "1")}}, same: []string{"a"},
			former: map[string]int{},
		},
		"other people's": {
			history: history{"a": {rev(1, "deployed", "1")}, "b": {{Number: 1, Status: "deployed"}}},
			same:    []string{"a"}, former: map[string]int{},
		},
		"after a killed run": {history: history{
			"a": {rev(2, "deployed", "1"), rev(1, "superseded", "2")}, "c": {rev(5, "uninstalled", "1")},
		},
			underway: map[string]int{"a": 1, "c": 4}, same: []string{"a"}, former: map[string]int{"a": 1, "c": 4}},
	} {
		t.Run(name, func(t *testing.T) {
			rec := &record.Record{Asset: "bl01t", Instances: []record.Instance{{Name: "a", Chart: chartOf("1")}}}
			var underway *ledger.Underway
			if c.underway != nil {
				underway = &ledger.Underway{Former: c.underway}
			}
			got := decide(rec, c.history, c.drifted, underway)
			restore := map[string]int{}
			for _, r := range got.restore {
				restore[r.Name] = r.number
			}
			if c.restore == nil {
				c.restore = map[string]int{}
			}
			require.Equal(t, c.same, nameAll(got.same))
			require.Equal(t, c.restore, restore)
			require.Equal(t, c.deploy, nameAll(got.deploy))
			require.Equal(t, c.remove, got.remove)
			require.Equal(t, c.former, got.former)
		})
	}
}

func nameAll(instances []record.Instance) (all []string) {
	for _, i := range instances {
		all = append(all, i.Name)
	}
	return all
}

func TestTouchedIsInOrder(t *testing.T) {
	c := &change{
		deploy:  []record.Instance{{Name: "c"}, {Name: "a"}},
		restore: []restoration{{record.Instance{Name: "b"}, 7}},
	}
	require.Equal(t, []string{"a", "b", "c"}, nameAll(c.touched()))
	require.Equal(t, 7, c.stored("b"))
}

func TestWayBack(t *testing.T) {
	for name, c := range map[string]struct {
		former  map[string]int
		now     history
		restore map[string]int
		remove  []string
	}{
		"upgraded": {
			map[string]int{"a": 1}, history{"a": {rev(2, "deployed", "2"), rev(1, "superseded", "1")}},
			map[string]int{"a": 1}, nil,
		},
		"never reached": {
			map[string]int{"a": 1}, history{"a": {rev(1, "deployed", "1")}}, map[string]int{}, nil,
		},
		"killed in the upgrade": {
			map[string]int{"a": 1}, history{"a": {rev(2, "pending-upgrade", "2"), rev(1, "deployed", "1")}},
			map[string]int{"a": 1}, nil,
		},
		"refused by the server": {
			map[string]int{"a": 1}, history{"a": {rev(2, "failed", "2"), rev(1, "deployed", "1")}},
			map[string]int{"a": 1}, nil,
		},
		"newly installed": {
			map[string]int{"a": 0}, history{"a": {rev(1, "deployed", "2")}}, map[string]int{}, []string{"a"},
		},
		"half installed": {
			map[string]int{"a": 0}, history{"a": {rev(1, "pending-install", "2")}}, map[string]int{}, []string{"a"},
		},
		"never installed": {map[string]int{"a": 0}, history{}, map[string]int{}, nil},
		"removed": {
			map[string]int{"a": 3}, history{"a": {rev(3, "uninstalled", "1")}}, map[string]int{"a": 3}, nil,
		},
		"gone without a trace": {map[string]int{"a": 3}, history{}, map[string]int{"a": 3}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			restore, remove := wayBack(c.former, c.now)
			require.Equal(t, c.restore, restore)
			require.Equal(t, c.remove, remove)
		})
	}
}
