package promote_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tagline-ci/tagline/pipelines/promote"
)

// TestPromotionsGoOnUnderTheGuard, while an IOC that runs can't be given another
// image by hand: the API server refuses it, and the IOC does not stop.
func TestPromotionsGoOnUnderTheGuard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.guarded()
	w.promote(w.release("2026.1.1", map[string]string{"a": answers, "b": answers}))
	w.promote(w.release("2026.1.2", map[string]string{"a": answers, "b": answers + "# 2\n"}))
	require.Equal(t, map[string]string{"a": promote.Unchanged, "b": promote.Restarted}, w.rollback(""))
	before := w.status("2026.1.1")
	const foreign = "mallory.example/x:1"
	patch := fmt.Sprintf(`{"spec":{"template":{"spec":{"containers":[{"name":"ioc","image":%q}]}}}}`, foreign)
	_, err := w.cluster.Client.AppsV1().Deployments(w.namespace).Patch(
		t.Context(), "a", types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
	refusedBy(t, err, foreign+"; promote a release with tagline promote")
	patch = fmt.Sprintf(`{"spec":{"ephemeralContainers":[{"name":"d","image":%q}]}}`, foreign)
	_, err = w.client.CoreV1().Pods(w.namespace).Patch(t.Context(), w.state("a").Pod, // as who may do everything
		types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{}, "ephemeralcontainers")
	refusedBy(t, err, foreign)
	require.Equal(t, before["a"].UID, w.status("2026.1.1")["a"].UID, "the IOC never stopped")
}
