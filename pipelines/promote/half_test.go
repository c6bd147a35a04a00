package promote_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/promote"
	"github.com/tagline-ci/tagline/pipelines/status"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// A run that is suspended for longer than its lease, while another takes over,
// changes nothing more when it goes on.
func TestASuspendedPromotionDoesNotGoOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.promote(w.release("2026.1.1", map[string]string{"a": answers, "b": answers}))
	victim, talk := w.victim("suspend")
	require.NoError(t, victim.Start())
	require.Eventually(t, func() bool { return stopped(victim.Process.Pid) }, 2*time.Minute, 100*time.Millisecond, talk)
	w.promote(w.release("2026.1.3", map[string]string{"a": answers, "b": answers + "# 3\n"}))
	before := w.status("2026.1.3")
	require.NoError(t, victim.Process.Signal(syscall.SIGCONT))
	require.Error(t, victim.Wait())
	require.Contains(t, talk.String(), "the beamline's lock was lost")
	require.Contains(t, talk.String(), "tagline rollback "+w.line)
	after := w.status("2026.1.3")
	require.Equal(t, sorted(before), sorted(after))
	for name := range before {
		require.Equal(t, before[name].UID, after[name].UID, "%s was touched by the suspended run", name)
	}
}

// stopped reports whether a process is suspended.
func stopped(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(text), ") T ")
}

// victim prepares TestVictim in a process of its own, with what it does in the
// middle of its promotion: "kill" or "suspend" itself.
func (w *world) victim(deed string) (*exec.Cmd, *strings.Builder) {
	cmd := exec.Command(os.Args[0], "-test.run=^TestVictim$", "-test.v")
	cmd.Env = append(os.Environ(), "TAGLINE_TEST_NAMESPACE="+w.namespace, "TAGLINE_TEST_VICTIM="+deed)
	talk := &strings.Builder{}
	cmd.Stdout, cmd.Stderr = talk, talk
	return cmd, talk
}

func TestRollingBackAnUnknownBeamlineEndsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx, cancel := context.WithTimeout(w.ctx(), time.Minute)
	defer cancel()
	_, err := promote.Rollback(ctx, w.deps(), "")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	require.ErrorContains(t, err, "nothing was ever promoted to namespace "+w.namespace)
	require.NoError(t, ctx.Err())
}

func TestALockInANamespaceThatIsEndingIsAnError(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	spaces := w.client.CoreV1().Namespaces()
	_, err := spaces.Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace},
		Spec: corev1.NamespaceSpec{Finalizers: []corev1.FinalizerName{"tagline.test/stays", "kubernetes"}}},
		metav1.CreateOptions{})
	require.NoError(t, err)
	require.NoError(t, spaces.Delete(t.Context(), w.namespace, metav1.DeleteOptions{}))
	t.Cleanup(func() {
		ns, err := spaces.Get(context.Background(), w.namespace, metav1.GetOptions{})
		if err == nil {
			ns.Spec.Finalizers = nil
			_, _ = spaces.Finalize(context.Background(), ns, metav1.UpdateOptions{})
		}
	})
	ctx, cancel := context.WithTimeout(w.ctx(), time.Minute)
	defer cancel()
	err = ledger.Locked(
		ctx, w.cluster, "test", func(ctx, held context.Context, n *cluster.Namespace) error { return nil },
	)
	require.ErrorContains(t, err, "locking beamline "+w.line)
	require.ErrorContains(t, err, "terminated")
	require.NoError(t, ctx.Err())
}

// An IOC that was dead before, and that a change does not touch, does not make
// it fail, neither forward nor back.
func TestADeadIOCDoesNotFailAnother(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.promote(w.release("2026.1.1", map[string]string{"a": answers, "dead": answers}))
	w.freeze("dead")
	r, err := promote.Run(w.ctx(), w.deps(), w.release(
		"2026.1.2", map[string]string{"a": answers + "# 2\n", "dead": answers},
	))
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a": promote.Restarted, "dead": promote.Unchanged}, deeds(r))
	require.NotEmpty(t, r.IOCs[1].Doing, "it is said to be dead")
	require.Equal(t, map[string]string{"a": promote.Restarted, "dead": promote.Unchanged}, w.rollback(""))
	st, err := status.Read(t.Context(), w.cluster)
	require.NoError(t, err)
	require.Equal(t, "2026.1.1", st.Version)
	require.True(t, st.Instances[0].Ready)
}

// freeze makes an IOC deaf by hand: its pod runs, and its PV does not answer.
func (w *world) freeze(instance string) {
	w.t.Helper()
	s := w.state(instance)
	_, err := pods.Exec(w.t.Context(), w.cluster, s, "/epics/ioc/ioc", "--deafen")
	require.NoError(w.t, err)
	require.Eventually(w.t, func() bool { return !w.state(instance).Ready }, 2*time.Minute, time.Second)
}

func (w *world) state(instance string) pods.State {
	w.t.Helper()
	states, _, err := pods.States(w.t.Context(), w.cluster)
	require.NoError(w.t, err)
	return states[instance]
}

func TestABeamlineThatMovesItsNamespaceIsRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.promote(w.release("2026.1.1", map[string]string{"a": answers}))
	moved := *w
	moved.namespace += "-b"
	var err error
	moved.cluster, err = cluster.Open(w.access(), w.line, moved.namespace)
	require.NoError(t, err)
	_, err = promote.Run(w.ctx(), moved.deps(), moved.release("2026.1.2", map[string]string{"a": answers}))
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.ErrorContains(t, err, "it still runs in namespace "+w.namespace)
	_, err = w.client.CoreV1().Namespaces().Get(t.Context(), moved.namespace, metav1.GetOptions{})
	require.True(t, apierrors.IsNotFound(err), "nothing was made")
}

// A change that fails more often than Helm keeps revisions is still undone.
func TestUndoingElevenTimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.promote(w.release("2026.1.1", map[string]string{"a": answers}))
	for try := range 11 {
		ctx, stop := context.WithCancel(w.ctx())
		ctx = step.WithSink(ctx, func(e step.Event) {
			if e.Name == "deploying a 2026.1.2" && e.Done {
				stop()
			}
		})
		_, err := promote.Run(ctx, w.deps(), w.release(
			"2026.1.2", map[string]string{"a": answers + fmt.Sprintf("# %d\n", try)},
		))
		stop()
		require.Equal(t, diag.Undone, diag.KindOf(err), "%v", err)
	}
	w.status("2026.1.1")
	require.LessOrEqual(t, w.revisions(), 11, "old revisions are dropped")
}
