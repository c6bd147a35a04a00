package promote_test

import (
	"context"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	admissionv1 "k8s.io/api/admissionregistration/v1"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/tagline-ci/tagline/pipelines/ledger"
)

// guard renders deploy/beamline-guard for a namespace.
func guard(t testing.TB, namespace string, values map[string]any) (
	rules []*admissionv1.ValidatingAdmissionPolicy, bindings []*admissionv1.ValidatingAdmissionPolicyBinding, err error,
) {
	t.Helper()
	c, err := loader.LoadDir("../../deploy/beamline-guard")
	require.NoError(t, err)
	all, err := chartutil.ToRenderValues(c, values, chartutil.ReleaseOptions{Name: "guard", Namespace: namespace}, nil)
	if err != nil {
		return nil, nil, err
	}
	files, err := engine.Render(c, all)
	require.NoError(t, err)
	for _, text := range files {
		for _, document := range strings.Split(text, "---\n") {
			rule, binding := &admissionv1.ValidatingAdmissionPolicy{}, &admissionv1.ValidatingAdmissionPolicyBinding{}
			switch {
			case strings.Contains(document, "kind: ValidatingAdmissionPolicyBinding"):
				require.NoError(t, yaml.UnmarshalStrict([]byte(document), binding), document)
				bindings = append(bindings, binding)
			case strings.Contains(document, "kind: "):
				require.NoError(t, yaml.UnmarshalStrict([]byte(document), rule), document)
				rules = append(rules, rule)
			}
		}
	}
	return rules, bindings, nil
}

// Each rule holds in its own namespace and fails closed.
func TestTheGuardIsOfOneNamespace(t *testing.T) {
	rules, bindings, err := guard(t, "bl01t", map[string]any{"registries": []any{"ghcr.io/some-org"}})
	require.NoError(t, err)
	require.Len(t, rules, 8)
	require.Len(t, bindings, 8)
	names := map[string]bool{}
	for _, r := range rules {
		names[r.Name] = true
		require.Equal(t, admissionv1.Fail, *r.Spec.FailurePolicy, r.Name)
		require.Contains(t, r.Name, "bl01t", "rules of two namespaces have names of their own")
	}
	for _, b := range bindings {
		require.True(t, names[b.Spec.PolicyName])
		require.Equal(t, map[string]string{"kubernetes.io/metadata.name": "bl01t"}, b.Spec.MatchResources.NamespaceSelector.MatchLabels)
		require.Equal(t, []admissionv1.ValidationAction{admissionv1.Deny}, b.Spec.ValidationActions)
	}
	for _, bad := range []map[string]any{
		{}, // a guard that lets no image in is a mistake
		{"registries": []any{}},
		{"registries": []any{"ghcr.io/some-org/"}},
		{"registries": []any{"ghcr.io/' || true || '"}},
		{"registries": []any{"ghcr.io"}, "consents": []any{"host path '] || true || ['"}},
		{"registries": []any{"ghcr.io"}, "consents": []any{`privileged" || true`}},
		{"registries": []any{"ghcr.io"}, "consents": []any{""}},
		{"registries": []any{"ghcr.io"}, "hostPaths": []any{"/dev"}},
	} {
		_, _, err := guard(t, "bl01t", bad)
		require.Error(t, err, "%v", bad)
	}
}

// install makes the cluster guard the namespace, and waits until it does.
func (w *world) install(values map[string]any) {
	w.t.Helper()
	rules, bindings, err := guard(w.t, w.namespace, values)
	require.NoError(w.t, err)
	api := w.client.AdmissionregistrationV1()
	w.t.Cleanup(func() {
		for i := range rules {
			name := bindings[i].Name
			_ = api.ValidatingAdmissionPolicyBindings().Delete(context.Background(), name, metav1.DeleteOptions{})
			_ = api.ValidatingAdmissionPolicies().Delete(context.Background(), rules[i].Name, metav1.DeleteOptions{})
		}
	})
	for i := range rules {
		_, err := api.ValidatingAdmissionPolicies().Create(w.t.Context(), rules[i], metav1.CreateOptions{})
		require.NoError(w.t, err)
		_, err = api.ValidatingAdmissionPolicyBindings().Create(w.t.Context(), bindings[i], metav1.CreateOptions{})
		require.NoError(w.t, err)
	}
	// Each rule comes to the API server a little later, by itself. A pod is refused before
	// that too, while its namespace has no service account.
	require.Eventually(w.t, func() bool {
		_, pod := w.client.CoreV1().Pods(w.namespace).Create(w.t.Context(), w.intruder(nil), dryRun)
		_, workload := w.client.AppsV1().Deployments(w.namespace).Create(w.t.Context(), w.workload(), dryRun)
		_, job := w.client.BatchV1().Jobs(w.namespace).Create(w.t.Context(), w.job(), dryRun)
		policy := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "tagline-policy"}}
		_, write := w.cluster.Client.CoreV1().ConfigMaps(w.namespace).Create(w.t.Context(), policy, dryRun)
		_, cron := w.client.BatchV1().CronJobs(w.namespace).Create(w.t.Context(), w.cronJob(), dryRun)
		controllers := w.client.CoreV1().ReplicationControllers(w.namespace)
		_, controller := controllers.Create(w.t.Context(), w.controller(), dryRun)
		_, traffic := w.client.CoreV1().Services(w.namespace).Create(w.t.Context(), service(externalName), dryRun)
		_, token := w.cluster.Client.CoreV1().Secrets(w.namespace).Create(w.t.Context(), token(), dryRun)
		all := []error{pod, workload, job, cron, controller, write, token, traffic}
		return !slices.ContainsFunc(all, func(err error) bool { return !guards(err) })
	}, time.Minute, 200*time.Millisecond)
}

var dryRun = metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}

// intruder is a pod that somebody makes by hand.
func (w *world) intruder(change func(*corev1.PodSpec)) *corev1.Pod {
	busybox := "docker.io/library/busybox@sha256:" + strings.Repeat("ab", 32)
	no, token, user := false, false, int64(1000)
	spec := corev1.PodSpec{
		AutomountServiceAccountToken: &token, SecurityContext: &corev1.PodSecurityContext{RunAsUser: &user},
		Containers: []corev1.Container{{
			Name: "c", Image: busybox, SecurityContext: &corev1.SecurityContext{AllowPrivilegeEscalation: &no},
		}},
	}
	if change != nil {
		spec.Containers[0].Image = w.image // one that may run
		change(&spec)
	}
	return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "intruder"}, Spec: spec}
}

// guarded makes a namespace with the guard and the roles, and opens it as who
// promotes.
func (w *world) guarded() (users map[string]string) {
	users = w.grant()
	w.cluster = w.open(w.as(users["promoting"]))
	w.install(map[string]any{
		"registries": []any{os.Getenv("TAGLINE_E2E_REGISTRY")},
		"consents":   []any{"host path /dev/ttyUSB0", "capability SYS_NICE"},
	})
	return users
}

// TestTheClusterRefusesWhatGoesAroundTagline: what who promotes does past Tagline is
// refused by the API server.
func TestTheClusterRefusesWhatGoesAroundTagline(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	users := w.guarded()
	for says, change := range map[string]func(*corev1.PodSpec){
		"only images of ": nil,
		"by digest":       func(s *corev1.PodSpec) { s.Containers[0].Image, _, _ = strings.Cut(w.image, "@") },
		"by digest, and not mallory.example/x@sha256": func(s *corev1.PodSpec) { // beside a good one
			s.InitContainers = []corev1.Container{{Name: "i", Image: foreign}}
		},
	} {
		_, err := w.cluster.Client.CoreV1().Pods(w.namespace).Create(t.Context(), w.intruder(change), dryRun)
		refusedBy(t, err, says)
	}
	_, err := w.cluster.Client.CoreV1().Pods(w.namespace).Create(t.Context(), w.intruder(func(s *corev1.PodSpec) {
		s.Volumes = []corev1.Volume{hostPath("good", "/dev/ttyUSB0")}
		s.Containers[0].SecurityContext.Capabilities = &corev1.Capabilities{Add: []corev1.Capability{"SYS_NICE"}}
	}), dryRun)
	require.NoError(t, err, "what the site names is let in")

	_, err = w.cluster.Client.AppsV1().Deployments(w.namespace).Create(t.Context(), w.workload(), dryRun)
	refusedBy(t, err, "only images of ")
	_, err = w.client.BatchV1().Jobs(w.namespace).Create(t.Context(), w.job(), dryRun)
	refusedBy(t, err, "only images of ")
	w.hostile()
	w.traffic()
	w.changed(w.cluster.Client)
	w.takeTokens(users)
	w.writePolicy(users)
}

// workload makes intruders.
func (w *world) workload() *appsv1.Deployment {
	labels := map[string]string{"a": "b"}
	template := corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: w.intruder(nil).Spec}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "intruder"},
		Spec:       appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: template},
	}
}

// job runs an intruder.
func (w *world) job() *batchv1.Job {
	template := w.workload().Spec.Template
	template.Spec.RestartPolicy = corev1.RestartPolicyNever
	return &batchv1.Job{
		ObjectMeta: metav1.ObjectMeta{Name: "intruder"}, Spec: batchv1.JobSpec{Template: template},
	}
}

// guards reports whether the guard refused with err.
func guards(err error) bool {
	return apierrors.IsForbidden(err) && strings.Contains(err.Error(), "beamline-guard-")
}

func hostPath(name, path string) corev1.Volume {
	return corev1.Volume{
		Name: name, VolumeSource: corev1.VolumeSource{HostPath: &corev1.HostPathVolumeSource{Path: path}},
	}
}

func refusedBy(t testing.TB, err error, says string) {
	t.Helper()
	require.True(t, apierrors.IsForbidden(err), "%s: %v", says, err)
	require.ErrorContains(t, err, "beamline-guard-")
	require.ErrorContains(t, err, says)
}

// writePolicy tries to change the beamline's policy as each user.
func (w *world) writePolicy(users map[string]string) {
	w.t.Helper()
	const text = "unsigned: whoever promotes likes it better so\n"
	promoting := w.open(w.as(users["promoting"]))
	require.ErrorContains(
		w.t, ledger.SavePolicy(w.ctx(), promoting, text),
		"the beamline's policy is changed by who administers",
	)
	require.NoError(w.t, ledger.SavePolicy(w.ctx(), w.open(w.as(users["administering"])), text))
	maps := promoting.Client.CoreV1().ConfigMaps(w.namespace)
	refusedBy(w.t, maps.Delete(w.t.Context(), "tagline-policy", metav1.DeleteOptions{}), "who administers")
	_, err := maps.Patch(w.t.Context(), "tagline-policy", types.MergePatchType, []byte(`{"data":{"policy.yaml":""}}`), metav1.PatchOptions{})
	refusedBy(w.t, err, "who administers")
	now, _, err := ledger.Policy(w.t.Context(), promoting)
	require.NoError(w.t, err)
	require.Equal(w.t, text, now)
}
