package promote_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/operate"
	"github.com/tagline-ci/tagline/pipelines/promote"
	"github.com/tagline-ci/tagline/pipelines/pvs"
	"github.com/tagline-ci/tagline/pipelines/status"
)

func (w *world) order(instances ...string) operate.Order {
	return operate.Order{
		Cluster: w.cluster, Instances: instances, Reason: "a test", Holder: w.deps().Holder, Timeout: time.Minute,
	}
}

// TestAShift plays what the person on shift does, without a registry.
func TestAShift(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.promote(w.release("2026.1.1", map[string]string{"a": answers, "b": answers}))

	require.NoError(t, operate.Stop(w.ctx(), w.order("a")))
	require.Empty(t, w.state("a").Pod)
	r, err := promote.Run(w.ctx(), w.deps(), w.release(
		"2026.1.2", map[string]string{"a": answers + "# 2\n", "b": answers},
	))
	require.NoError(t, err)
	require.Equal(t, promote.Unchanged, deeds(r)["b"])
	require.Empty(t, w.state("a").Pod, "stopped through a promotion")
	st, err := status.Read(t.Context(), w.cluster)
	require.NoError(t, err)
	require.Empty(t, st.Instances[0].Drift, "what was done on purpose is no drift")
	require.Equal(t, status.Stopped, st.Level(time.Now()))
	require.ErrorContains(t, operate.Restart(w.ctx(), w.order("a")), "it was stopped by")

	require.NoError(t, operate.Start(w.ctx(), w.order()))
	before := w.status("2026.1.2")
	require.NoError(t, operate.Restart(w.ctx(), w.order("a")))
	require.NotEqual(t, before["a"].UID, w.status("2026.1.2")["a"].UID)

	err = operate.Move(w.ctx(), w.order("a"), "nosuch", false)
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	require.NoError(t, operate.Move(w.ctx(), w.order("a"), before["a"].Node, false))
	require.Equal(t, before["a"].Node, w.status("2026.1.2")["a"].Moved)
	require.NoError(t, operate.Move(w.ctx(), w.order("a"), "", false))
	require.Empty(t, w.status("2026.1.2")["a"].Moved)

	found, err := pvs.Search(t.Context(), []ledger.Reached{{Namespace: w.cluster}}, []string{"A:.*"})
	require.NoError(t, err)
	require.Len(t, found, 1)
	require.Equal(t, "a", found[0].Instance)
	require.Equal(t, "5", found[0].Value)

	require.NoError(t, operate.Remove(w.ctx(), w.order("b"), false))
	require.Equal(t, []string{"a"}, sorted(w.status("2026.1.2")))
	require.NoError(t, operate.Remove(w.ctx(), w.order(), true))
	_, err = ledger.Known(t.Context(), w.cluster)
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	w.did("remove", "remove", "move", "move", "move", "restart", "start", "restart", "promote", "stop", "promote")
}

// did requires what the history has, newest first.
func (w *world) did(want ...string) {
	w.t.Helper()
	entries, err := ledger.Entries(w.t.Context(), w.cluster)
	require.NoError(w.t, err)
	var got []string
	for _, e := range entries {
		got = append(got, e.Did)
	}
	require.Equal(w.t, want, got)
}
