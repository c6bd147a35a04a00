package promote_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/promote"
)

// TestAChartThatHidesWhatItNeeds: a template that makes nothing at the gate, and a
// hook in the cluster, ends a promotion before the hook runs, as the first release of
// an instance and as a later one.
func TestAChartThatHidesWhatItNeeds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.promote(w.release("2026.1.1", map[string]string{"a": answers}))
	before := w.status("2026.1.1")
	w.own = map[string]string{}
	for at, instance := range map[string]string{"2026.1.2": "a", "2026.1.3": "b"} {
		clear(w.own)
		w.own[instance] = `{{ if lookup "v1" "ServiceAccount" .Release.Namespace "default" }}
apiVersion: v1
kind: ConfigMap
metadata:
  name: caught
  annotations: {helm.sh/hook: "pre-install,pre-upgrade"}
{{ end }}`
		pass := w.release(at, map[string]string{"a": answers, instance: answers})
		require.Empty(t, pass.Needs())
		_, err := promote.Run(w.ctx(), w.deps(), pass)
		require.ErrorContains(t, err, "could not be seen at the gate: hook pre-install, hook pre-upgrade")
		require.Equal(t, diag.Undone, diag.KindOf(err))
		_, err = w.client.CoreV1().ConfigMaps(w.namespace).Get(t.Context(), "caught", metav1.GetOptions{})
		require.True(t, apierrors.IsNotFound(err), "%v", err)
		require.Equal(t, before["a"].UID, w.status("2026.1.1")["a"].UID, "the IOC never stopped")
	}
}
