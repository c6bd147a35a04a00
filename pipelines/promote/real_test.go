package promote_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/release"
	"helm.sh/helm/v3/pkg/storage/driver"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/gate"
	"github.com/tagline-ci/tagline/pipelines/helm"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/promote"
	"github.com/tagline-ci/tagline/pipelines/status"
	"github.com/tagline-ci/tagline/pipelines/step"
)

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// promote runs a promotion that must succeed and returns what it did by IOC.
func (w *world) promote(pass gate.Pass) map[string]string {
	w.t.Helper()
	r, err := promote.Run(w.ctx(), w.deps(), pass)
	require.NoError(w.t, err)
	require.Equal(w.t, pass.Record().Version.String(), r.Version)
	return deeds(r)
}

func (w *world) rollback(version string) map[string]string {
	w.t.Helper()
	r, err := promote.Rollback(w.ctx(), w.deps(), version)
	require.NoError(w.t, err)
	return deeds(r)
}

func deeds(r *promote.Result) map[string]string {
	did := map[string]string{}
	for _, i := range r.IOCs {
		did[i.Name] = i.Did
	}
	return did
}

// ctx returns a context whose steps go to the test's log.
func (w *world) ctx() context.Context {
	return step.WithSink(w.t.Context(), func(e step.Event) {
		if e.Line != "" {
			w.t.Logf("%s: %s", e.Name, e.Line)
		} else {
			w.t.Logf("%s done=%v %v", e.Name, e.Done, e.Err)
		}
	})
}

// status returns what runs, all of which must be as its release says.
func (w *world) status(version string) map[string]status.IOC {
	w.t.Helper()
	st, err := status.Read(w.t.Context(), w.cluster)
	require.NoError(w.t, err)
	require.Equal(w.t, version, st.Version)
	require.Empty(w.t, st.Underway)
	iocs := map[string]status.IOC{}
	for _, i := range st.Instances {
		require.True(w.t, i.Ready, "%s: %s", i.Name, i.Doing)
		require.Empty(w.t, i.Drift, i.Name)
		iocs[i.Name] = i
	}
	return iocs
}

// revisions counts Helm's stored revisions.
func (w *world) revisions() int {
	w.t.Helper()
	h, err := helm.Stored(w.t.Context(), w.cluster)
	require.NoError(w.t, err)
	n := 0
	for _, r := range h {
		n += len(r)
	}
	return n
}

func TestOnlyWhatChangedRestarts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.release("2026.1.1", map[string]string{"a": answers, "b": answers})
	require.Equal(t, map[string]string{"a": promote.Started, "b": promote.Started}, w.promote(first))
	before := w.status("2026.1.1")
	require.Equal(t, "standin 1.0.0", before["a"].IOC)

	second := w.release("2026.1.2", map[string]string{"a": answers, "b": answers + "# changed\n"})
	require.Equal(t, map[string]string{"a": promote.Unchanged, "b": promote.Restarted}, w.promote(second))
	after := w.status("2026.1.2")
	require.Equal(t, before["a"].UID, after["a"].UID)
	require.NotEqual(t, before["b"].UID, after["b"].UID)
	require.Equal(t, "2026.1.2", after["a"].Version)

	stored := w.revisions()
	require.Equal(t, map[string]string{"a": promote.Unchanged, "b": promote.Unchanged}, w.promote(second))
	require.Equal(t, stored, w.revisions(), "promoting what runs writes nothing")

	require.Equal(t, map[string]string{"a": promote.Unchanged, "b": promote.Restarted}, w.rollback(""))
	require.Equal(t, before["a"].UID, w.status("2026.1.1")["a"].UID)
	_, err := promote.Rollback(w.ctx(), w.deps(), "")
	require.Equal(t, diag.Refused, diag.KindOf(err))
}

func TestAFailedPromotionIsUndone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.promote(w.release("2026.1.1", map[string]string{"a": answers, "b": answers, "gone": answers}))
	before := w.status("2026.1.1")
	_, err := promote.Run(
		w.ctx(),
		w.deps(),
		w.release("2026.1.2", map[string]string{"a": answers, "b": crashes, "new": answers}),
	)
	require.Equal(t, 4, diag.ExitStatus(err))
	require.ErrorContains(t, err, "promoting "+w.line+" 2026.1.2: b: not ready: ended")
	require.ErrorContains(t, err, "exit status 1; the beamline is back on 2026.1.1")
	require.ErrorContains(t, err, "no such host moxa-7", "the IOC's last log lines")
	after := w.status("2026.1.1")
	require.Equal(t, []string{"a", "b", "gone"}, sorted(after))
	require.Equal(t, before["a"].UID, after["a"].UID, "an IOC that did not change is left alone")
	require.Equal(t, "2026.1.1", after["b"].Version)
	pods, err := w.client.CoreV1().Pods(w.namespace).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.Len(t, pods.Items, 3)
}

func TestAFailedFirstPromotionLeavesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.image = strings.Split(w.image, "@")[0] + "@sha256:" + strings.Repeat("0", 64)
	_, err := promote.Run(w.ctx(), w.deps(), w.release("2026.1.1", map[string]string{"a": answers}))
	require.Equal(t, diag.Undone, diag.KindOf(err))
	require.ErrorContains(t, err, "the beamline is as it was before its first promotion")
	require.ErrorContains(t, err, strings.Repeat("0", 64), "the image that cannot be pulled")
	require.Empty(t, w.status(""))
}

func TestAnInstanceThatLeavesComesBackWithoutARegistry(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.promote(w.release("2026.1.1", map[string]string{"a": answers, "b": answers}))
	require.Equal(
		t,
		map[string]string{"a": promote.Unchanged, "b": promote.Removed},
		w.promote(w.release("2026.1.2", map[string]string{"a": answers})),
	)
	require.Equal(t, []string{"a"}, sorted(w.status("2026.1.2")))
	deps := w.deps()
	deps.Chart = func(context.Context, asset.Ref) ([]byte, error) { return nil, errors.New("the registry is down") }
	r, err := promote.Rollback(w.ctx(), deps, "2026.1.1")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a": promote.Unchanged, "b": promote.Started}, deeds(r))
	w.status("2026.1.1")
}

func TestStoppingAPromotionUndoesIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.promote(w.release("2026.1.1", map[string]string{"a": answers}))
	ctx, stop := context.WithCancel(w.ctx())
	ctx = step.WithSink(ctx, func(e step.Event) {
		if strings.Contains(e.Line, "its PV does not answer yet") {
			stop()
		}
	})
	_, err := promote.Run(ctx, w.deps(), w.release("2026.1.2", map[string]string{"a": deaf}))
	require.Equal(t, diag.Undone, diag.KindOf(err))
	require.ErrorContains(t, err, "interrupted; the beamline is back on 2026.1.1")
	require.NotErrorIs(t, err, context.Canceled)
	w.status("2026.1.1")
}

// scaleToNothing takes an IOC's pod away by hand.
func (w *world) scaleToNothing(instance string) {
	w.t.Helper()
	deployments := w.client.AppsV1().Deployments(w.namespace)
	scale, err := deployments.GetScale(w.t.Context(), instance, metav1.GetOptions{})
	require.NoError(w.t, err)
	scale.Spec.Replicas = 0
	_, err = deployments.UpdateScale(w.t.Context(), instance, scale, metav1.UpdateOptions{})
	require.NoError(w.t, err)
}

func TestDriftIsShownAndSetRight(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pass := w.release("2026.1.1", map[string]string{"a": answers})
	w.promote(pass)
	w.scaleToNothing("a")
	stray := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "stray"},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "x", Image: w.image}}},
	}
	_, err := w.client.CoreV1().Pods(w.namespace).Create(t.Context(), stray, metav1.CreateOptions{})
	require.NoError(t, err)
	st, err := status.Read(t.Context(), w.cluster)
	require.NoError(t, err)
	require.Equal(t, []string{"Deployment a: spec.replicas"}, st.Instances[0].Drift)
	require.Equal(t, []string{"stray"}, st.Strays)
	w.promote(pass)
	w.status("2026.1.1")
}

func TestTwoPromotionsDoNotInterleave(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first, second := w.release(
		"2026.1.1",
		map[string]string{"a": answers},
	), w.release(
		"2026.1.2",
		map[string]string{"a": answers + "# x\n"},
	)
	var inside, most atomic.Int32
	run := func(pass gate.Pass) func() error {
		deps := w.deps()
		deps.Holder += " " + pass.Record().Version.String()
		pull := deps.Chart
		deps.Chart = func(ctx context.Context, ref asset.Ref) ([]byte, error) {
			most.Store(max(most.Load(), inside.Add(1)))
			defer inside.Add(-1)
			return pull(ctx, ref)
		}
		return func() error { _, err := promote.Run(w.ctx(), deps, pass); return err }
	}
	failed := make(chan error, 2)
	for _, pass := range []gate.Pass{first, second} {
		go func() { failed <- run(pass)() }()
	}
	require.NoError(t, <-failed)
	require.NoError(t, <-failed)
	require.EqualValues(t, 1, most.Load())
	st, err := status.Read(t.Context(), w.cluster)
	require.NoError(t, err)
	require.Len(t, st.Before, 1)
}

func TestANamespaceIsOfOneBeamline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.promote(w.release("2026.1.1", map[string]string{"a": answers}))
	other, err := cluster.Open(w.access(), "bl98t", w.namespace)
	require.NoError(t, err)
	_, err = status.Read(t.Context(), other)
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.ErrorContains(t, err, fmt.Sprintf("beamline %q runs there", w.line))
	found, err := ledger.Find(t.Context(), w.access(), "bl97t")
	require.NoError(t, err)
	require.Equal(t, "bl97t", found, "a beamline that was never promoted")
	mine := fmt.Sprintf(`{"metadata":{"labels":{"tagline.beamline":%q}}}`, w.namespace)
	_, err = w.client.CoreV1().
		ConfigMaps(w.namespace).
		Patch(t.Context(), "tagline", types.MergePatchType, []byte(mine), metav1.PatchOptions{})
	require.NoError(t, err)
	found, err = ledger.Find(t.Context(), w.access(), w.namespace)
	require.NoError(t, err)
	require.Equal(t, w.namespace, found)
}

func TestAHalfDoneHelmReleaseIsRecovered(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.promote(w.release("2026.1.1", map[string]string{"a": answers}))
	helm := driver.NewSecrets(w.client.CoreV1().Secrets(w.namespace))
	half, err := helm.Get("sh.helm.release.v1.a.v1")
	require.NoError(t, err)
	half.SetStatus(release.StatusPendingUpgrade, "killed")
	require.NoError(t, helm.Update("sh.helm.release.v1.a.v1", half))
	st, err := status.Read(t.Context(), w.cluster)
	require.NoError(t, err)
	require.Equal(t, []string{"its Helm release is pending-upgrade"}, st.Instances[0].Drift)
	require.Equal(
		t,
		map[string]string{"a": promote.Restarted},
		w.promote(w.release("2026.1.2", map[string]string{"a": answers + "# x\n"})),
	)
	w.status("2026.1.2")
}

func TestAPodThatIsNotAllowedIsUndone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.promote(w.release("2026.1.1", map[string]string{"a": answers}))
	quota := &corev1.ResourceQuota{
		ObjectMeta: metav1.ObjectMeta{Name: "one"},
		Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{corev1.ResourcePods: resource.MustParse("1")}},
	}
	_, err := w.client.CoreV1().ResourceQuotas(w.namespace).Create(t.Context(), quota, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = promote.Run(w.ctx(), w.deps(), w.release("2026.1.2", map[string]string{"a": answers, "b": answers}))
	require.Equal(t, diag.Undone, diag.KindOf(err))
	require.ErrorContains(t, err, "b: not ready: no pod is allowed")
	require.ErrorContains(t, err, "exceeded quota")
	w.status("2026.1.1")
}

func TestAChartThatIsGoneChangesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	pass := w.release("2026.1.1", map[string]string{"a": answers, "b": answers})
	deps := w.deps()
	deps.Chart = func(ctx context.Context, ref asset.Ref) ([]byte, error) {
		if strings.HasSuffix(ref.Repository(), "/b") {
			ref = ref.At(asset.Digest("sha256:" + strings.Repeat("0", 64)))
		}
		return w.registry.Chart(ctx, ref)
	}
	_, err := promote.Run(w.ctx(), deps, pass)
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	require.Zero(t, w.revisions())
	require.Empty(t, w.status(""))
}
