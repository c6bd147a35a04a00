package events

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/ledger"
)

func TestSentence(t *testing.T) {
	const by = "ajp on ws012, process 4711"
	for want, d := range map[string]Deed{
		"bl01t: 2.0 promoted by ajp on ws012, 1 IOC changed, 2 removed: limit switch replaced": {
			Entry: ledger.Entry{By: by, Did: "promote", Version: "2.0", Reason: "limit switch replaced"},
			IOCs:  []IOC{{"a", "restarted"}, {"b", "removed"}, {"c", "removed"}, {"d", "unchanged"}},
		},
		"bl01t: rolled back to 1.0 by ajp on ws012, 1 stopped, not as before: a: it was restarted": {
			Entry: ledger.Entry{
				By: by, Did: "rollback", Version: "1.0", Verified: "not as before: a: it was restarted\n  log",
			},
			IOCs: []IOC{{"a", "stopped"}},
		},
		"bl01t: rolled back to nothing by ajp": {Entry: ledger.Entry{By: "ajp", Did: "rollback"}},
		"bl01t: promote of 2.0 by ajp failed: promoting bl01t 2.0: a: not ready": {
			Entry: ledger.Entry{
				By: "ajp", Did: "promote", Version: "2.0",
				Failed: "promoting bl01t 2.0: a: not ready\n  last log lines",
			},
		},
		"bl01t: a stopped by ajp: it hangs": {
			Entry: ledger.Entry{By: "ajp", Did: "stop", Instance: "a", Reason: "it hangs"},
		},
		"bl01t: all IOCs restarted by ajp: power cut": {
			Entry: ledger.Entry{By: "ajp", Did: "restart", Reason: "power cut"},
		},
		"bl01t: a acknowledged by ajp, not ready: ended with signal 11: cable is ordered": {Entry: ledger.Entry{
			By: "ajp", Did: "acknowledge", Instance: "a", Reason: "cable is ordered",
			Trouble: "not ready: ended with signal 11",
		}},
		"bl01t: acknowledgement of a withdrawn by ajp: not mine": {
			Entry: ledger.Entry{By: "ajp", Did: "withdraw", Instance: "a", Reason: "not mine"},
		},
		"bl01t: paint a by ajp": {Entry: ledger.Entry{By: "ajp", Did: "paint", Instance: "a"}},
	} {
		require.Equal(t, want, sentence("bl01t", d))
	}
}

func TestCompare(t *testing.T) {
	var many []string
	for i := range 2 * mostNames {
		many = append(many, fmt.Sprintf("PV:%03d", 2*mostNames-i))
	}
	pvs := Compare([]string{"A"}, append(many, "A", "PV:001"))
	require.Equal(t, 2*mostNames, pvs.Added.Count, "each once")
	require.Len(t, pvs.Added.First, mostNames)
	require.Equal(t, "PV:001", pvs.Added.First[0])
	require.Equal(t, Names{First: []string{}}, pvs.Removed)
}
