package promote_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/yaml"

	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/promote"
)

// service is one as the library chart makes it, with a change.
func service(change func(*corev1.ServiceSpec)) *corev1.Service {
	s := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: corev1.ServiceSpec{
		Selector: map[string]string{"app.kubernetes.io/instance": "a"}, Ports: []corev1.ServicePort{{Port: 5064}},
	}}
	change(&s.Spec)
	return s
}

func externalName(s *corev1.ServiceSpec) { s.Type, s.ExternalName = "ExternalName", "x.example" }

// hostileServices are Services that take traffic of other addresses, by what they need.
func hostileServices() map[string]func(*corev1.ServiceSpec) {
	return map[string]func(*corev1.ServiceSpec){
		"external IP 10.0.0.1":      func(s *corev1.ServiceSpec) { s.ExternalIPs = []string{"10.0.0.1"} },
		"service type NodePort":     func(s *corev1.ServiceSpec) { s.Type = corev1.ServiceTypeNodePort },
		"service type LoadBalancer": func(s *corev1.ServiceSpec) { s.Type = corev1.ServiceTypeLoadBalancer },
		"service type ExternalName": externalName,
	}
}

// routes makes what else brings traffic of other addresses, and returns by kind what the
// cluster says.
func (w *world) routes() map[string]error {
	w.t.Helper()
	address := []corev1.EndpointAddress{{IP: "10.0.0.1"}}
	//lint:ignore SA1019 clusters still have them
	subsets := []corev1.EndpointSubset{{Addresses: address, Ports: []corev1.EndpointPort{{Port: 53}}}}
	//lint:ignore SA1019 clusters still have them
	endpoints := &corev1.Endpoints{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Subsets: subsets}
	slice := &discoveryv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: "a", Labels: map[string]string{discoveryv1.LabelServiceName: "a"}},
		AddressType: discoveryv1.AddressTypeIPv4, Endpoints: []discoveryv1.Endpoint{{Addresses: []string{"10.0.0.1"}}},
	}
	backend := networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
		Name: "a", Port: networkingv1.ServiceBackendPort{Number: 80},
	}}
	ingress := &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Name: "a"}, Spec: networkingv1.IngressSpec{DefaultBackend: &backend},
	}
	_, byHand := w.client.CoreV1().Endpoints(w.namespace).Create(w.ctx(), endpoints, dryRun)
	_, sliced := w.client.DiscoveryV1().EndpointSlices(w.namespace).Create(w.ctx(), slice, dryRun)
	_, routed := w.client.NetworkingV1().Ingresses(w.namespace).Create(w.ctx(), ingress, dryRun)
	return map[string]error{
		"kind Endpoints": byHand, "kind EndpointSlice.discovery.k8s.io": sliced,
		"kind Ingress.networking.k8s.io": routed,
	}
}

// traffic makes objects by which traffic of other addresses comes to this namespace.
func (w *world) traffic() {
	w.t.Helper()
	services := w.client.CoreV1().Services(w.namespace)
	for need, change := range hostileServices() {
		_, err := services.Create(w.ctx(), service(change), dryRun)
		refusedBy(w.t, err, "unless the guard consents to it: "+need)
	}
	for need, err := range w.routes() {
		refusedBy(w.t, err, "unless the guard consents to it: "+need)
	}
	_, err := services.Create(w.ctx(), service(func(*corev1.ServiceSpec) {}), metav1.CreateOptions{})
	require.NoError(w.t, err, "as the library chart makes it")
	_, err = services.Patch(
		w.t.Context(), "a", types.MergePatchType, []byte(`{"spec":{"externalIPs":["10.0.0.1"]}}`), metav1.PatchOptions{},
	)
	refusedBy(w.t, err, "external IP 10.0.0.1")
	require.Eventually(w.t, func() bool { // which the cluster's own controllers make of it
		list, err := w.client.DiscoveryV1().EndpointSlices(w.namespace).List(w.t.Context(), metav1.ListOptions{})
		return err == nil && len(list.Items) > 0
	}, time.Minute, 200*time.Millisecond)
}

// serviceAccount makes one that is not for pods.
func (w *world) serviceAccount() {
	w.t.Helper()
	account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "administers"}}
	_, err := w.client.CoreV1().ServiceAccounts(w.namespace).Create(w.ctx(), account, metav1.CreateOptions{})
	require.NoError(w.t, err)
}

// consenting reads a policy and returns the guard's values that follow from it.
func (w *world) consenting(consents ...policy.Consent) map[string]any {
	w.t.Helper()
	text, err := yaml.Marshal(policy.Policy{Unsigned: "a test beamline", Consents: consents})
	require.NoError(w.t, err)
	p, err := policy.Read("policy.yaml", text)
	require.NoError(w.t, err)
	text, err = yaml.Marshal(p.Guard(w.registry.Prefix()))
	require.NoError(w.t, err)
	values := map[string]any{}
	require.NoError(w.t, yaml.Unmarshal(text, &values))
	return values
}

// TestTheGuardConsentsAsThePolicyDoes: what a policy consents to in any words, the guard
// with the values that follow from it lets in, and nothing else.
func TestTheGuardConsentsAsThePolicyDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cluster = w.open(w.as(w.grant()["promoting"]))
	w.serviceAccount()
	var words []string
	for what := range hostilePods() {
		need, _, _ := strings.Cut(what, ",")
		words = append(words, need)
	}
	for need := range hostileServices() {
		if need != "service type ExternalName" { // by which install sees that the guard is there
			words = append(words, need)
		}
	}
	for need := range w.routes() {
		words = append(words, need)
	}
	words = append(words, "capability SYS_NICE", "image "+foreign)
	w.install(w.consenting(policy.Consent{Charts: []string{"*"}, To: unique(words)}))
	pods, deployments := w.client.CoreV1().Pods(w.namespace), w.client.AppsV1().Deployments(w.namespace)
	for what, change := range hostilePods() {
		pod := w.intruder(func(*corev1.PodSpec) {})
		change(pod)
		_, err := deployments.Create(w.ctx(), w.template(pod), dryRun)
		require.NoError(t, err, what)
		_, err = pods.Create(w.ctx(), pod, dryRun)
		require.False(t, guards(err), "%s: %v", what, err) // another part of the cluster may know no such class
	}
	for need, change := range hostileServices() {
		_, err := w.client.CoreV1().Services(w.namespace).Create(w.ctx(), service(change), dryRun)
		require.Equal(t, need == "service type ExternalName", guards(err), "%s: %v", need, err)
	}
	for need, err := range w.routes() {
		require.NoError(t, err, need)
	}
	_, err := pods.Create(w.ctx(), w.intruder(func(s *corev1.PodSpec) { s.Containers[0].Image = foreign }), dryRun)
	require.NoError(t, err)
	_, err = pods.Create(w.ctx(), w.intruder(func(s *corev1.PodSpec) { s.Containers[0].Image += "0" }), dryRun)
	refusedBy(t, err, "only images of ")
	_, err = pods.Create(w.ctx(), w.intruder(func(s *corev1.PodSpec) {
		s.Volumes = []corev1.Volume{hostPath("v", "/dev/ttyUSB0")}
	}), dryRun)
	refusedBy(t, err, "does not consent to: host path /dev/ttyUSB0;")
}

func unique(all []string) (once []string) {
	seen := map[string]bool{}
	for _, one := range all {
		if !seen[one] {
			once = append(once, one)
		}
		seen[one] = true
	}
	return once
}

// TestAConsentedDeviceIsPromotedThroughTheGuard: an IOC with a device of the node by its
// path, which makes its container privileged, is promoted where the policy consents to that.
func TestAConsentedDeviceIsPromotedThroughTheGuard(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cluster = w.open(w.as(w.grant()["promoting"]))
	w.device = map[string]string{"a": "/dev/null"}
	needs := []string{"host path /dev/null", "privilege escalation", "privileged"}
	pass := w.release("2026.1.1", map[string]string{"a": answers, "b": answers})
	require.Equal(t, map[string][]string{"a": needs}, pass.Needs())
	w.install(w.consenting(policy.Consent{Charts: []string{"a"}, To: needs}))
	require.Equal(t, map[string]string{"a": promote.Started, "b": promote.Started}, w.promote(pass))
	iocs := w.status("2026.1.1")
	pod, err := w.client.CoreV1().Pods(w.namespace).Get(t.Context(), iocs["a"].Pod, metav1.GetOptions{})
	require.NoError(t, err)
	require.True(t, *pod.Spec.Containers[0].SecurityContext.Privileged)

	w.device = map[string]string{"a": "/dev/null", "b": "/dev/zero"}
	_, err = promote.Run(w.ctx(), w.deps(), w.release("2026.1.2", map[string]string{"a": answers, "b": answers}))
	require.ErrorContains(t, err, "does not consent to: host path /dev/zero")
	require.Equal(t, iocs["b"].UID, w.status("2026.1.1")["b"].UID, "the IOC never stopped")
}

// TestWhatRanBeforeTheGuardCanBeReplaced: a workload of before goes on, is scaled down by
// hand and by what replaces it, and can't be changed into another that the guard refuses.
func TestWhatRanBeforeTheGuardCanBeReplaced(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.cluster = w.open(w.as(w.grant()["promoting"]))
	deployments := w.client.AppsV1().Deployments(w.namespace)
	pod := w.intruder(func(*corev1.PodSpec) {})
	hostilePods()["root"](pod)
	pod.Spec.SecurityContext.RunAsNonRoot = nil
	_, err := deployments.Create(t.Context(), w.template(pod), metav1.CreateOptions{})
	require.NoError(t, err)
	old := func() int32 {
		list, err := w.client.AppsV1().ReplicaSets(w.namespace).List(t.Context(), metav1.ListOptions{})
		require.NoError(t, err)
		for _, set := range list.Items {
			if set.Spec.Template.Spec.SecurityContext.RunAsUser == nil {
				return *set.Spec.Replicas
			}
		}
		return -1
	}
	require.Eventually(t, func() bool { return old() == 1 }, time.Minute, 200*time.Millisecond)
	w.install(w.consenting())
	patch := func(text string) error {
		_, err := deployments.Patch(
			context.Background(), "intruder", types.StrategicMergePatchType, []byte(text), metav1.PatchOptions{},
		)
		return err
	}
	require.NoError(t, patch(`{"spec":{"replicas":1},"metadata":{"labels":{"x":"y"}}}`))
	refusedBy(t, patch(`{"spec":{"template":{"spec":{"hostNetwork":true}}}}`), "does not consent to: root")
	require.NoError(t, patch(`{"spec":{"strategy":{"type":"Recreate","rollingUpdate":null},`+
		`"template":{"spec":{"securityContext":{"runAsUser":1000}}}}}`))
	require.Eventually(t, func() bool { return old() == 0 }, time.Minute, 200*time.Millisecond)
}
