package promote_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"

	"github.com/tagline-ci/tagline/pipelines/chart"
)

// foreign is an image that no registry of the site has.
var foreign = "mallory.example/x@sha256:" + strings.Repeat("ab", 32)

// in changes the security context of a pod's container.
func in(change func(*corev1.SecurityContext)) func(*corev1.Pod) {
	return func(p *corev1.Pod) { change(p.Spec.Containers[0].SecurityContext) }
}

// around changes the security context of a pod.
func around(change func(*corev1.PodSecurityContext)) func(*corev1.Pod) {
	return func(p *corev1.Pod) { change(p.Spec.SecurityContext) }
}

// mounts gives a pod a volume.
func mounts(source corev1.VolumeSource) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Spec.Volumes = []corev1.Volume{{Name: "v", VolumeSource: source}} }
}

// annotated gives a pod an annotation.
func annotated(key, value string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Annotations = map[string]string{key: value} }
}

// elsewherePods are pods with images from elsewhere, by what is wrong with them.
func (w *world) elsewherePods() map[string]func(*corev1.Pod) {
	host, path, _ := strings.Cut(w.image, "/")
	is := func(image string) func(*corev1.Pod) {
		return func(p *corev1.Pod) { p.Spec.Containers[0].Image = image }
	}
	return map[string]func(*corev1.Pod){
		"a registry that begins as ours": is(host + ".mallory.example/" + path),
		"ours as a folder of another":    is("mallory.example/" + w.image),
		"a digest in the tag's place":    is(strings.Replace(w.image, "@sha256:", ":sha256-", 1)),
	}
}

// hostilePods are pods that reach further than an IOC's, by what they need in the words of
// the policy's consents.
func hostilePods() map[string]func(*corev1.Pod) {
	yes, no, root, unmasked := true, false, int64(0), corev1.UnmaskedProcMount
	unconfined := &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeUnconfined}
	legacy, all, camera := "legacy", "all.json", "camera"
	apparmor := corev1.DeprecatedAppArmorBetaContainerAnnotationKeyPrefix + "c"
	return map[string]func(*corev1.Pod){
		"host processes": func(p *corev1.Pod) { p.Spec.HostPID = true },
		"host memory":    func(p *corev1.Pod) { p.Spec.HostIPC = true },
		"privileged": in(func(s *corev1.SecurityContext) {
			s.Privileged, s.AllowPrivilegeEscalation = &yes, nil
		}),
		"privileged, of Windows": func(p *corev1.Pod) {
			p.Spec.HostNetwork = true
			p.Spec.SecurityContext.WindowsOptions = &corev1.WindowsSecurityContextOptions{HostProcess: &yes}
		},
		"capability SYS_ADMIN": in(func(s *corev1.SecurityContext) {
			s.Capabilities = &corev1.Capabilities{Add: []corev1.Capability{"SYS_NICE", "SYS_ADMIN"}}
		}),
		"privilege escalation": in(func(s *corev1.SecurityContext) { s.AllowPrivilegeEscalation = nil }),
		"root":                 around(func(s *corev1.PodSecurityContext) { s.RunAsUser = nil }), // the image's user
		"root, of the pod":     around(func(s *corev1.PodSecurityContext) { s.RunAsUser = &root }),
		"root, of one container": in(func(s *corev1.SecurityContext) {
			s.RunAsUser = &root
		}),
		"root, in spite of the pod": func(p *corev1.Pod) {
			p.Spec.SecurityContext.RunAsUser, p.Spec.SecurityContext.RunAsNonRoot = nil, &yes
			p.Spec.Containers[0].SecurityContext.RunAsNonRoot = &no
		},
		"host kernel files": func(p *corev1.Pod) {
			p.Spec.HostUsers = &no // without which Kubernetes itself refuses it
			p.Spec.Containers[0].SecurityContext.ProcMount = &unmasked
		},
		"unconfined":             in(func(s *corev1.SecurityContext) { s.SeccompProfile = unconfined }),
		"unconfined, of the pod": around(func(s *corev1.PodSecurityContext) { s.SeccompProfile = unconfined }),
		"unconfined, by AppArmor": in(func(s *corev1.SecurityContext) {
			s.AppArmorProfile = &corev1.AppArmorProfile{Type: corev1.AppArmorProfileTypeUnconfined}
		}),
		"unconfined, in the words of before": annotated(apparmor, "unconfined"),
		"profile all.json": in(func(s *corev1.SecurityContext) {
			s.SeccompProfile = &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeLocalhost, LocalhostProfile: &all}
		}),
		"profile legacy": annotated(apparmor, "localhost/legacy"),
		"SELinux options": around(func(s *corev1.PodSecurityContext) {
			s.SELinuxOptions = &corev1.SELinuxOptions{Type: "spc_t"}
		}),
		"sysctl net.ipv4.ping_group_range": around(func(s *corev1.PodSecurityContext) {
			s.Sysctls = []corev1.Sysctl{{Name: "net.ipv4.ping_group_range", Value: "0 2147483647"}}
		}),
		"volume nfs": mounts(corev1.VolumeSource{
			NFS: &corev1.NFSVolumeSource{Server: "files.some-org.example", Path: "/"},
		}),
		"volume flexVolume": mounts(corev1.VolumeSource{
			FlexVolume: &corev1.FlexVolumeSource{Driver: "mallory/x"},
		}),
		"volume csi": mounts(corev1.VolumeSource{
			CSI: &corev1.CSIVolumeSource{Driver: "nfs.csi.k8s.io"},
		}),
		"host path /dev":              mounts(hostPath("v", "/dev").VolumeSource),
		"host path /dev/ttyUSB0/x":    mounts(hostPath("v", "/dev/ttyUSB0/x").VolumeSource),
		"service account administers": func(p *corev1.Pod) { p.Spec.ServiceAccountName = "administers" },
		"priority class system-node-critical": func(p *corev1.Pod) {
			p.Spec.PriorityClassName = "system-node-critical"
		},
		"runtime class legacy": func(p *corev1.Pod) { p.Spec.RuntimeClassName = &legacy },
		"host port 22": func(p *corev1.Pod) {
			p.Spec.Containers[0].Ports = []corev1.ContainerPort{{ContainerPort: 5064, HostPort: 22}}
		},
		"resource vendor.example/camera": func(p *corev1.Pod) {
			p.Spec.Containers[0].Resources.Limits = corev1.ResourceList{
				"vendor.example/camera": resource.MustParse("1"), "memory": resource.MustParse("1Gi"),
			}
		},
		"resource claim camera": func(p *corev1.Pod) {
			p.Spec.ResourceClaims = []corev1.PodResourceClaim{{Name: "c", ResourceClaimName: &camera}}
		},
		"device vendor.example/camera=0": annotated("cdi.k8s.io/x", "vendor.example/camera=0"),
	}
}

// template returns a workload with the template of a pod.
func (w *world) template(pod *corev1.Pod) *appsv1.Deployment {
	workload := w.workload()
	workload.Spec.Template.ObjectMeta.Annotations = pod.Annotations
	workload.Spec.Template.Spec = pod.Spec
	return workload
}

// hostile makes pods and workloads that reach further than an IOC's. What the guard says of
// them, the gate says of a chart.
func (w *world) hostile() {
	w.t.Helper()
	w.serviceAccount()
	for what, change := range w.elsewherePods() {
		pod := w.intruder(func(*corev1.PodSpec) {})
		change(pod)
		w.t.Log(what)
		_, err := w.client.CoreV1().Pods(w.namespace).Create(w.ctx(), pod, dryRun)
		refusedBy(w.t, err, "only images of ")
	}
	for what, change := range hostilePods() {
		need, _, _ := strings.Cut(what, ",")
		pod := w.intruder(func(*corev1.PodSpec) {})
		change(pod)
		w.t.Log(what)
		_, err := w.client.CoreV1().Pods(w.namespace).Create(w.ctx(), pod, dryRun)
		if pod.Spec.RuntimeClassName == nil { // the cluster has no such class, and says that first
			refusedBy(w.t, err, "does not consent to: "+need)
		}
		workload := w.template(pod)
		_, err = w.client.AppsV1().Deployments(w.namespace).Create(w.ctx(), workload, dryRun)
		refusedBy(w.t, err, "does not consent to: "+need)

		workload.TypeMeta = metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}
		text, err := json.Marshal(workload)
		require.NoError(w.t, err)
		needs, err := chart.ManifestNeeds([]string{string(text)}, w.namespace, w.image)
		require.NoError(w.t, err)
		require.Contains(w.t, needs, need)
	}
	pod := w.intruder(func(*corev1.PodSpec) {})
	mounts(corev1.VolumeSource{Image: &corev1.ImageVolumeSource{Reference: foreign}})(pod)
	let, err := w.client.CoreV1().Pods(w.namespace).Create(w.ctx(), pod, dryRun)
	if err != nil {
		refusedBy(w.t, err, "only images of ")
	} else { // a cluster that knows no such volumes leaves out what it does not know
		require.False(w.t, slices.ContainsFunc(let.Spec.Volumes, func(v corev1.Volume) bool { return v.Image != nil }))
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
	refusedBy(w.t, add(), "does not consent to: privileged")
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
