package promote_test

import (
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/promote"
	"github.com/tagline-ci/tagline/pipelines/status"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// TestVictim is the promotion that the tests of killed promotions run in a
// process of its own: it kills itself, as the machine might, when its IOC is up
// and deaf.
func TestVictim(t *testing.T) {
	if os.Getenv("TAGLINE_TEST_NAMESPACE") == "" {
		t.Skip("it kills its process: the tests of killed promotions start it")
	}
	w := newWorld(t)
	var once sync.Once
	ctx := step.WithSink(t.Context(), func(e step.Event) {
		if strings.Contains(e.Line, "its PV does not answer yet") {
			deed := syscall.SIGKILL
			if os.Getenv("TAGLINE_TEST_VICTIM") == "suspend" {
				deed = syscall.SIGSTOP
			}
			once.Do(func() { _ = syscall.Kill(os.Getpid(), deed) })
		}
	})
	_, err := promote.Run(
		ctx,
		w.deps(),
		w.release("2026.1.2", map[string]string{"a": deaf, "b": answers, "new": answers}),
	)
	require.NoError(t, err)
}

// kill promotes 2026.1.2, in which a is deaf, and dies in the middle.
func (w *world) kill() {
	w.t.Helper()
	victim, talk := w.victim("kill")
	require.ErrorContains(w.t, victim.Run(), "killed", talk)
	st, err := status.Read(w.t.Context(), w.cluster)
	require.NoError(w.t, err)
	require.Equal(w.t, "2026.1.1", st.Version)
	require.Equal(w.t, "2026.1.2", st.Underway)
}

func TestAKilledPromotionIsRolledBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.promote(w.release("2026.1.1", map[string]string{"a": answers, "b": answers}))
	before := w.status("2026.1.1")
	w.kill()
	require.Equal(
		t,
		map[string]string{"a": promote.Restarted, "b": promote.Unchanged, "new": promote.Removed},
		w.rollback(""),
	)
	after := w.status("2026.1.1")
	require.Equal(t, []string{"a", "b"}, sorted(after))
	require.Equal(t, before["b"].UID, after["b"].UID)
}

func TestAKilledPromotionIsFinishedByTheNext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.promote(w.release("2026.1.1", map[string]string{"a": answers, "b": answers}))
	w.kill()
	// The same release fails again; what comes back is what ran before the first try.
	_, err := promote.Run(
		w.ctx(),
		w.deps(),
		w.release("2026.1.2", map[string]string{"a": crashes, "b": answers, "new": answers}),
	)
	require.ErrorContains(t, err, "the beamline is back on 2026.1.1")
	require.Equal(t, []string{"a", "b"}, sorted(w.status("2026.1.1")))
	w.kill()
	w.promote(w.release("2026.1.3", map[string]string{"a": answers, "b": answers}))
	require.Equal(t, []string{"a", "b"}, sorted(w.status("2026.1.3")))
}
