package operate

import (
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/status"
)

// inTrouble returns a beamline whose IOCs start and do not get ready.
func inTrouble(t *testing.T) *shift {
	t.Helper()
	s := onShift(t, movedTo("ws012"))
	s.Unready(func(node string) bool { return node == "ws012" })
	s.Instances = []string{"a"}
	require.Error(t, Restart(s.impatient(), s.Order))
	s.before = len(s.Server.Changes())
	return s
}

// acknowledged returns the IOCs whose troubles are known now, as status shows them.
func (s *shift) acknowledged() map[string]ledger.Acknowledgement {
	s.t.Helper()
	st, err := status.Read(s.t.Context(), s.Cluster)
	require.NoError(s.t, err)
	known := map[string]ledger.Acknowledgement{}
	for _, i := range st.Instances {
		if i.Acknowledged != nil {
			known[i.Name] = *i.Acknowledged
		}
	}
	return known
}

// kept returns the IOCs of which the cluster keeps an acknowledgement.
func (s *shift) kept() []string {
	s.t.Helper()
	all, err := ledger.Acknowledged(s.t.Context(), s.Cluster)
	require.NoError(s.t, err)
	return slices.Sorted(maps.Keys(all))
}

// A trouble is acknowledged with name, reason and end, while a promotion holds the lock,
// and is in the history.
func TestAcknowledge(t *testing.T) {
	s := inTrouble(t)
	s.Refuse("POST leases")
	began := time.Now()
	require.NoError(t, Acknowledge(t.Context(), s.Order, 8*time.Hour))
	require.Equal(t, []string{"POST configmaps", "PUT configmaps/tagline-history"}, s.changes(), "and nothing else")
	known := s.acknowledged()
	require.Equal(t, []string{"a"}, slices.Sorted(maps.Keys(known)))
	require.Equal(t, []string{"me", "it hangs"}, []string{known["a"].By, known["a"].Reason})
	require.WithinDuration(t, began.Add(8*time.Hour), known["a"].Until, time.Minute)
	trouble := "not ready: started, its PV does not answer yet"
	require.Equal(t, trouble, known["a"].Trouble.String())
	require.Equal(t, ledger.Entry{
		By: "me", Did: "acknowledge", Instance: "a", Reason: "it hangs", Trouble: trouble, Until: known["a"].Until,
	}, s.last())
}

// A new pod that is not ready either is a new trouble; one that is well leaves nothing
// behind.
func TestAnAcknowledgementDoesNotOutliveItsTrouble(t *testing.T) {
	s := inTrouble(t)
	require.NoError(t, Acknowledge(t.Context(), s.Order, time.Hour))
	require.Error(t, Restart(s.impatient(), s.Order))
	require.Empty(t, s.acknowledged())
	require.NoError(t, Acknowledge(t.Context(), s.Order, time.Hour))
	require.Len(t, s.acknowledged(), 1)

	s.Unready(func(string) bool { return true })
	s.Instances = []string{"b"}
	require.Error(t, Restart(s.impatient(), s.Order))
	s.Unready(func(string) bool { return false })
	s.Instances = []string{"a"}
	require.NoError(t, Restart(t.Context(), s.Order))
	require.Empty(t, s.acknowledged())
	require.Equal(t, []string{"a"}, s.kept())
	s.Instances = []string{"b"}
	require.NoError(t, Acknowledge(t.Context(), s.Order, time.Hour))
	require.Equal(t, []string{"b"}, s.kept(), "what is over goes with the next that is written")
}

func TestWhatCannotBeAcknowledged(t *testing.T) {
	s := inTrouble(t)
	for says, c := range map[string]struct {
		instances []string
		reason    string
		length    time.Duration
		kind      diag.Kind
	}{
		"acknowledging b: it is well: nothing to acknowledge; see tagline status bl01t": {
			[]string{"a", "b"}, "x", time.Hour, diag.Refused,
		},
		"looking for nosuch: bl01t has no such IOC; name one of: a, b": {
			[]string{"a", "nosuch"}, "x", time.Hour, diag.Invalid,
		},
		"acknowledgement of bl01t: no reason is given; say why with --reason": {
			[]string{"a"}, "", time.Hour, diag.Invalid,
		},
		"acknowledgement of bl01t: no end is given; say for how long with --until": {
			[]string{"a"}, "x", 0, diag.Invalid,
		},
		"acknowledgement of bl01t: it would hold for 169 hours, and may for 168": {
			[]string{"a"}, "x", 169 * time.Hour, diag.Invalid,
		},
	} {
		o := s.Order
		o.Instances, o.Reason = c.instances, c.reason
		err := Acknowledge(t.Context(), o, c.length)
		require.ErrorContains(t, err, says)
		require.Equal(t, c.kind, diag.KindOf(err))
	}
	require.Empty(t, s.changes())
	o := order(t)
	o.Cluster.Name, o.Cluster.Beamline = "bl02t", "bl02t"
	require.ErrorContains(t, Acknowledge(t.Context(), o, time.Hour), "nothing was ever promoted to namespace bl02t")
}

// What was stopped on purpose is no trouble.
func TestAStoppedIOCIsNotAcknowledged(t *testing.T) {
	s := onShift(t, stopped)
	s.Instances = []string{"a"}
	err := Acknowledge(t.Context(), s.Order, time.Hour)
	require.ErrorContains(t, err, "acknowledging a: it was stopped by ada, which is no trouble: vacuum work")
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.Empty(t, s.changes())
}

func TestWithdraw(t *testing.T) {
	s := inTrouble(t)
	err := Withdraw(t.Context(), s.Order)
	require.ErrorContains(t, err, "withdrawing the acknowledgement of a: it has none that holds")
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.NoError(t, Acknowledge(t.Context(), s.Order, time.Hour))
	o := s.Order
	o.Reason = ""
	require.ErrorContains(t, Withdraw(t.Context(), o), "withdraw of bl01t: no reason is given")
	require.NoError(t, Withdraw(t.Context(), s.Order))
	require.Empty(t, s.acknowledged())
	require.Empty(t, s.kept())
	require.Equal(t, ledger.Entry{By: "me", Did: "withdraw", Instance: "a", Reason: "it hangs"}, s.last())
}

// Whoever may only look acknowledges nothing, and is told.
func TestWhoMayNotWriteAcknowledgesNothing(t *testing.T) {
	s := inTrouble(t)
	s.Refuse("POST configmaps")
	err := Acknowledge(t.Context(), s.Order, time.Hour)
	require.ErrorContains(t, err, "writing what was acknowledged of bl01t: ")
	require.ErrorContains(t, err, "forbidden")
	require.Empty(t, s.acknowledged())
	require.Equal(t, "restart", s.last().Did, "what was not done is not in the history")
	s.Refuse("GET pods")
	require.ErrorContains(t, Acknowledge(t.Context(), s.Order, time.Hour), "listing the pods of namespace bl01t")
}

// An IOC that is removed takes what was acknowledged of it along, and so does a beamline.
func TestRemoveForgetsWhatWasAcknowledged(t *testing.T) {
	s := inTrouble(t)
	require.NoError(t, Acknowledge(t.Context(), s.Order, time.Hour))
	s.Instances = []string{"b"}
	require.NoError(t, Remove(t.Context(), s.Order, false))
	require.Equal(t, []string{"a"}, s.kept())
	s.Instances = []string{"a"}
	require.NoError(t, Remove(t.Context(), s.Order, false))
	require.Empty(t, s.kept())

	s = inTrouble(t)
	require.NoError(t, Acknowledge(t.Context(), s.Order, time.Hour))
	s.Instances = nil
	s.Refuse("PUT configmaps/tagline-acknowledged")
	require.NoError(t, Remove(t.Context(), s.Order, false), "a beamline is removed all the same")
	require.Equal(t, []string{"a"}, s.kept())

	s = inTrouble(t)
	require.NoError(t, Acknowledge(t.Context(), s.Order, time.Hour))
	s.Instances = nil
	require.NoError(t, Remove(t.Context(), s.Order, false))
	require.Empty(t, s.kept())
}
