package promote_test

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/stretchr/testify/require"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
)

// foreign is an image that no registry of the site has.
var foreign = "mallory.example/x@sha256:" + strings.Repeat("ab", 32)

// in changes the security context of a pod's container.
func in(change func(*corev1.SecurityContext)) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.Containers[0].SecurityContext = &corev1.SecurityContext{}
		change(p.Spec.Containers[0].SecurityContext)
	}
}

// around changes the security context of a pod.
func around(change func(*corev1.PodSecurityContext)) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Spec.SecurityContext = &corev1.PodSecurityContext{}
		change(p.Spec.SecurityContext)
	}
}

// mounts gives a pod a volume.
func mounts(source corev1.VolumeSource) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: source}} }
}

// hostilePods are pods that reach further than an IOC's, by what is wrong with them, with
// what the guard says.
func (w *world) hostilePods() map[string]struct {
	change func(*corev1.Pod)
	says   string
} {
	const images, confined, volumes = "only images of ", "no container is unconfined here", "no pod mounts what is"
	const accounts = `another service account here than ["default"]`
	yes, unmasked := true, corev1.UnmaskedProcMount
	host, path, _ := strings.Cut(w.image, "/")
	apparmor := corev1.DeprecatedAppArmorBetaContainerAnnotationKeyPrefix + "c"
	return map[string]struct {
		change func(*corev1.Pod)
		says   string
	}{
		"a registry that begins as ours": {func(p *corev1.Pod) {
			p.Spec.Containers[0].Image = host + ".mallory.example/" + path
		}, images},
		"ours as a folder of another": {func(p *corev1.Pod) {
			p.Spec.Containers[0].Image = "mallory.example/" + w.image
		}, images},
		"a digest in the tag's place": {func(p *corev1.Pod) {
			p.Spec.Containers[0].Image = strings.Replace(w.image, "@sha256:", ":sha256-", 1)
		}, images},
		"kernel files": {func(p *corev1.Pod) {
			no := false
			p.Spec.HostUsers = &no // without which Kubernetes itself refuses it
			in(func(s *corev1.SecurityContext) { s.ProcMount = &unmasked })(p)
		}, confined},
		"no seccomp": {in(func(s *corev1.SecurityContext) {
			s.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeUnconfined}
		}), confined},
		"no seccomp of the pod": {around(func(s *corev1.PodSecurityContext) {
			s.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeUnconfined}
		}), confined},
		"no AppArmor": {in(func(s *corev1.SecurityContext) {
			s.AppArmorProfile = &corev1.AppArmorProfile{Type: corev1.AppArmorProfileTypeUnconfined}
		}), confined},
		"no AppArmor, in the words of before": {func(p *corev1.Pod) {
			p.Annotations = map[string]string{apparmor: "unconfined"}
		}, confined},
		"a type of SELinux": {around(func(s *corev1.PodSecurityContext) {
			s.SELinuxOptions = &corev1.SELinuxOptions{Type: "spc_t"}
		}), confined},
		"a sysctl": {around(func(s *corev1.PodSecurityContext) {
			s.Sysctls = []corev1.Sysctl{{Name: "net.ipv4.ping_group_range", Value: "0 2147483647"}}
		}), confined},
		"a process of Windows": {func(p *corev1.Pod) {
			p.Spec.HostNetwork = true
			around(func(s *corev1.PodSecurityContext) {
				s.WindowsOptions = &corev1.WindowsSecurityContextOptions{HostProcess: &yes}
			})(p)
		}, confined},
		"files of another machine": {mounts(corev1.VolumeSource{
			NFS: &corev1.NFSVolumeSource{Server: "files.some-org.example", Path: "/"},
		}), volumes},
		"a program of the node's": {mounts(corev1.VolumeSource{
			FlexVolume: &corev1.FlexVolumeSource{Driver: "mallory/x"},
		}), volumes},
		"a parent folder": {mounts(hostPath("v", "/dev").VolumeSource), "no pod mounts folders of the node"},
		"another account": {func(p *corev1.Pod) { p.Spec.ServiceAccountName = "administers" }, accounts},
		"the cluster's own class": {func(p *corev1.Pod) {
			p.Spec.PriorityClassName = "system-node-critical"
		}, "of a priority class here"},
	}
}

// hostile makes pods and workloads that reach further than an IOC's.
func (w *world) hostile() {
	w.t.Helper()
	_, err := w.client.CoreV1().ServiceAccounts(w.namespace).Create(w.ctx(), &corev1.ServiceAccount{
		ObjectMeta: metav1.ObjectMeta{Name: "administers"},
	}, metav1.CreateOptions{})
	require.NoError(w.t, err)
	for what, c := range w.hostilePods() {
		pod := w.intruder(func(*corev1.PodSpec) {})
		c.change(pod)
		_, err := w.client.CoreV1().Pods(w.namespace).Create(w.ctx(), pod, dryRun)
		w.t.Log(what)
		refusedBy(w.t, err, c.says)
		workload := w.workload()
		workload.Spec.Template.ObjectMeta.Annotations = pod.Annotations
		workload.Spec.Template.Spec = pod.Spec
		_, err = w.client.AppsV1().Deployments(w.namespace).Create(w.ctx(), workload, dryRun)
		refusedBy(w.t, err, c.says)
	}
	pod := w.intruder(func(*corev1.PodSpec) {})
	mounts(corev1.VolumeSource{Image: &corev1.ImageVolumeSource{Reference: foreign}})(pod)
	let, err := w.client.CoreV1().Pods(w.namespace).Create(w.ctx(), pod, dryRun)
	if err != nil {
		refusedBy(w.t, err, "only images of ")
	} else { // a cluster that knows no such volumes leaves out what it does not know
		require.Nil(w.t, let.Spec.Volumes[0].Image)
	}
	_, err = w.client.BatchV1().CronJobs(w.namespace).Create(w.ctx(), w.cronJob(), dryRun)
	refusedBy(w.t, err, "only images of ")
	_, err = w.client.CoreV1().ReplicationControllers(w.namespace).Create(w.ctx(), w.controller(), dryRun)
	refusedBy(w.t, err, "only images of ")
}

// changed lets a good pod in and changes it.
func (w *world) changed(promoting kubernetes.Interface) {
	w.t.Helper()
	pods := w.client.CoreV1().Pods(w.namespace)
	pod, err := promoting.CoreV1().Pods(w.namespace).Create(
		w.ctx(), w.intruder(func(*corev1.PodSpec) {}), metav1.CreateOptions{},
	)
	require.NoError(w.t, err)
	patch := func(container string, kind types.PatchType, subresources ...string) error {
		text, err := json.Marshal(map[string]any{"spec": map[string]any{
			container: []any{map[string]any{"name": "c", "image": foreign}},
		}})
		require.NoError(w.t, err)
		_, err = pods.Patch(context.Background(), pod.Name, kind, text, metav1.PatchOptions{}, subresources...)
		return err
	}
	refusedBy(w.t, patch("containers", types.StrategicMergePatchType), "only images of ")
	require.NoError(w.t, patch("containers", types.StrategicMergePatchType, "status"), "which leaves the spec alone")
	now, err := pods.Get(w.ctx(), pod.Name, metav1.GetOptions{})
	require.NoError(w.t, err)
	require.Equal(w.t, w.image, now.Spec.Containers[0].Image)

	yes := true
	beside := corev1.EphemeralContainer{
		EphemeralContainerCommon: corev1.EphemeralContainerCommon{Name: "e", Image: foreign},
	}
	add := func() error {
		again := now.DeepCopy()
		again.Spec.EphemeralContainers = []corev1.EphemeralContainer{beside}
		_, err := pods.UpdateEphemeralContainers(w.ctx(), pod.Name, again, metav1.UpdateOptions{})
		return err
	}
	refusedBy(w.t, add(), "only images of ")
	beside.Image, beside.SecurityContext = w.image, &corev1.SecurityContext{Privileged: &yes}
	refusedBy(w.t, add(), "no container is privileged")
}

// takeTokens asks for the token of another service account, by a Secret, as each user.
func (w *world) takeTokens(users map[string]string) {
	w.t.Helper()
	create := func(user string) error {
		n := w.open(w.as(users[user]))
		_, err := n.Client.CoreV1().Secrets(w.namespace).Create(w.ctx(), token(), dryRun)
		return err
	}
	refusedBy(w.t, create("promoting"), "tokens of service accounts are made by who administers")
	require.NoError(w.t, create("administering"))
}

// token is a Secret of which the cluster makes a token of a service account.
func token() *corev1.Secret {
	return &corev1.Secret{ObjectMeta: metav1.ObjectMeta{
		Name: "token", Annotations: map[string]string{corev1.ServiceAccountNameKey: "administers"},
	}, Type: corev1.SecretTypeServiceAccountToken}
}

// cronJob runs an intruder now and then.
func (w *world) cronJob() *batchv1.CronJob {
	return &batchv1.CronJob{ObjectMeta: metav1.ObjectMeta{Name: "intruder"}, Spec: batchv1.CronJobSpec{
		Schedule: "* * * * *", JobTemplate: batchv1.JobTemplateSpec{Spec: w.job().Spec},
	}}
}

// controller keeps an intruder running.
func (w *world) controller() *corev1.ReplicationController {
	template := w.workload().Spec.Template
	return &corev1.ReplicationController{
		ObjectMeta: metav1.ObjectMeta{Name: "intruder"},
		Spec:       corev1.ReplicationControllerSpec{Selector: template.Labels, Template: &template},
	}
}
