package promote_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/operate"
	"github.com/tagline-ci/tagline/pipelines/promote"
	"github.com/tagline-ci/tagline/pipelines/status"
)

// An IOC with start: false waits until somebody starts it, and then runs through
// promotions and rollbacks, though its chart has no replicas.
func TestAnIOCThatWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.waits = map[string]bool{"b": true, "c": true}
	scripts := map[string]string{"a": answers, "b": answers, "c": answers}
	require.Equal(
		t, map[string]string{"a": promote.Started, "b": promote.Stopped, "c": promote.Stopped},
		w.promote(w.release("2026.1.1", scripts)),
	)
	st, err := status.Read(t.Context(), w.cluster)
	require.NoError(t, err)
	for _, ioc := range st.Instances[1:] {
		require.Empty(t, ioc.Pod)
		require.Empty(t, ioc.Drift)
		require.Equal(t, "stopped by release 2026.1.1: values.yaml says start: false", ioc.Doing)
	}

	require.NoError(t, operate.Start(w.ctx(), w.order("b")))
	started := w.state("b").UID
	w.waits["c"] = false
	require.Equal(
		t, map[string]string{"a": promote.Unchanged, "b": promote.Unchanged, "c": promote.Started},
		w.promote(w.release("2026.1.2", scripts)), "b goes on, and the release starts c, as nobody has",
	)
	require.Equal(t, started, w.status("2026.1.2")["b"].UID)
	w.rollback("")
	require.Equal(t, started, w.status("2026.1.1")["b"].UID)
}
