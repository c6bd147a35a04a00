package chart

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

// own packages the instance of stage with templates of its own.
func own(t *testing.T, templates map[string]string) []byte {
	t.Helper()
	bl, inst := stage(t)
	inst.Chart, inst.Own = true, map[string][]byte{"Chart.yaml": []byte("description: its own\n")}
	for name, text := range templates {
		inst.Own["templates/"+name] = []byte(text)
	}
	tgz, err := lib.Package(bl, inst, image, "1.0.0")
	require.NoError(t, err)
	return tgz
}

// modest is a Deployment that needs nothing: each of the table's cases changes a line.
const modest = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: gateway
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata:
      labels: {a: b}
    spec:
      hostNetwork: true
      automountServiceAccountToken: false
      securityContext:
        runAsNonRoot: true
        runAsUser: 1000
      containers:
        - name: gateway
          image: {{ .Values.image }}
          securityContext:
            allowPrivilegeEscalation: false
      volumes:
        - name: tmp
          emptyDir: {}
`

// alter replaces what stands in modest before and after a change: "old => new".
func alter(t *testing.T, change string) string {
	t.Helper()
	before, after, ok := strings.Cut(change, " => ")
	require.True(t, ok)
	require.Contains(t, modest, before)
	return strings.Replace(modest, before, after, 1)
}

// TestNeedsOfPods has a case for each thing by which a pod reaches further than that
// of an IOC.
func TestNeedsOfPods(t *testing.T) {
	const (
		inContainer = "Escalation: false => Escalation: false\n            "
		inPod       = "runAsUser: 1000\n => "
		volume      = "emptyDir: {} => "
		atContainer = "        - name: gateway\n => " + "        - name: gateway\n          "
	)
	for _, c := range []struct{ change, want string }{
		{"name: gateway => name: gateway", ""},
		{"runAsNonRoot: true\n => runAsNonRoot: false\n", ""},
		{"allowPrivilegeEscalation: false => privileged: true", "privilege escalation, privileged"},
		{"allowPrivilegeEscalation: false => allowPrivilegeEscalation: true", "privilege escalation"},
		{"hostNetwork: true => hostPID: true", "host processes"},
		{"hostNetwork: true => hostIPC: true", "host memory"},
		{"runAsUser: 1000 => runAsUser: 0", "root"},
		{"        runAsNonRoot: true\n        runAsUser: 1000 => ", "root"},
		{"runAsUser: 1000 => runAsUser: -0.0", "root"}, // which Kubernetes reads as 0
		{"runAsUser: 1000 => runAsUser: 0x0", "root"},
		{inContainer + "runAsUser: 0", "root"},
		{inPod + "runAsGroup: 0\n", "root group"},
		{inPod + "fsGroup: 0\n", "root group"},
		{inPod + "supplementalGroups: [5, 0]\n", "root group"},
		{inPod + "seccompProfile: {type: Unconfined}\n", "unconfined"},
		{inPod + "seccompProfile: {type: Localhost, localhostProfile: all.json}\n", "profile all.json"},
		{inPod + "appArmorProfile: {type: Localhost, localhostProfile: all}\n", "profile all"},
		{inPod + "windowsOptions: {hostProcess: true}\n", "privileged"},
		{"hostNetwork: true => runtimeClassName: legacy", "runtime class legacy"},
		{"hostNetwork: true => priorityClassName: system-node-critical", "priority class system-node-critical"},
		{"hostNetwork: true => priorityClassName: beamline", ""},
		{inPod + "appArmorProfile: {type: Unconfined}\n", "unconfined"},
		{
			"    spec:\n      host => " +
				"      annotations: {container.apparmor.security.beta.kubernetes.io/gateway: unconfined}\n" +
				"    spec:\n      host",
			"unconfined",
		},
		{
			"    spec:\n      host => " +
				"      annotations: {cdi.k8s.io/x: vendor.com/camera=0}\n    spec:\n      host",
			"device vendor.com/camera=0",
		},
		{atContainer + "resources: {limits: {smarter-devices/a: 1, memory: 1Gi}}\n", "resource smarter-devices/a"},
		{inPod + "seLinuxOptions: {type: spc_t}\n", "SELinux options"},
		{inPod + "sysctls: [{name: kernel.msgmax, value: \"1\"}]\n", "sysctl kernel.msgmax"},
		{inContainer + "procMount: Unmasked", "host kernel files"},
		{
			inContainer + "capabilities: {drop: [ALL], add: [SYS_NICE, NET_ADMIN]}",
			"capability NET_ADMIN, capability SYS_NICE",
		},
		{volume + "hostPath: {path: /dev/ttyUSB0}", "host path /dev/ttyUSB0"},
		{volume + "secret: {secretName: keys}", "secret keys"},
		{volume + "nfs: {server: x, path: /}", "volume nfs"},
		{
			volume + "projected: {sources: [{serviceAccountToken: {path: t}}, {secret: {name: k}}]}",
			"secret k, service account token",
		},
		{volume + "projected: {sources: [{clusterTrustBundle: {name: b, path: b}}]}", "volume clusterTrustBundle"},
		{atContainer + "env: [{name: A, valueFrom: {secretKeyRef: {name: k, key: a}}}]\n", "secret k"},
		{atContainer + "envFrom: [{secretRef: {name: k}}]\n", "secret k"},
		{"automountServiceAccountToken: false => automountServiceAccountToken: true", "service account token"},
		{"      automountServiceAccountToken: false\n => ", "service account token"},
		{"hostNetwork: true => serviceAccountName: admin", "service account admin"},
		{"hostNetwork: true => serviceAccount: admin", "service account admin"},
		{"hostNetwork: true => serviceAccountName: default", ""},
		{"hostNetwork: true => resourceClaims: [{name: a, resourceClaimTemplateName: b}]", "resource claim b"},
		{"{{ .Values.image }} => docker.io/library/busybox", "image docker.io/library/busybox"},
		{
			"containers: => initContainers: [{name: i, image: x, " +
				"securityContext: {privileged: true, allowPrivilegeEscalation: true}}]\n      containers:",
			"image x, privilege escalation, privileged",
		},
	} {
		t.Run(c.change, func(t *testing.T) {
			got, err := Needs(own(t, map[string]string{"gateway.yaml": alter(t, c.change)}), "bl01t", image)
			require.NoError(t, err)
			require.Equal(t, c.want, strings.Join(got, ", "))
		})
	}
}

// TestNeedsOfPorts: on the host's network a port is a socket of the IOC's own, and elsewhere
// one of its node that the cluster takes for it, from the node's own programs too.
func TestNeedsOfPorts(t *testing.T) {
	const ports = "ports: [{containerPort: 22, hostPort: 22}]"
	for _, c := range []struct{ network, ports, want string }{
		{"      hostNetwork: true\n", ports, ""},
		{"", "ports: [{containerPort: 22}]", ""},
		{"", ports, "host port 22"},
		{"      hostNetwork: false\n", ports, "host port 22"},
		{"", "ports: [{containerPort: 22, hostPort: 0}]", ""},
	} {
		text := strings.Replace(modest, "      hostNetwork: true\n", c.network, 1)
		text = strings.Replace(text, "- name: gateway\n", "- name: gateway\n          "+c.ports+"\n", 1)
		got, err := Needs(own(t, map[string]string{"gateway.yaml": text}), "bl01t", image)
		require.NoError(t, err)
		require.Equal(t, c.want, strings.Join(got, ", "), text)
	}
}

// TestNeedsOfObjects has a case for each thing by which an object is none of an IOC's.
func TestNeedsOfObjects(t *testing.T) {
	job := func(annotations string) string {
		pod := strings.ReplaceAll(modest[strings.Index(modest, "    spec:"):], "\n", "\n  ")
		return "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: j\n  annotations: {" + annotations +
			"}\nspec:\n  template:\n" +
			strings.Replace("  "+pod, "    spec:\n", "    spec:\n        restartPolicy: Never\n", 1)
	}
	const (
		core      = "apiVersion: v1\nmetadata: {name: x}\nkind: "
		rbac      = "apiVersion: rbac.authorization.k8s.io/v1\nmetadata: {name: x}\nkind: "
		custom    = "apiVersion: evil.example/v1\nmetadata: {name: x}\nkind: "
		configMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: "
	)
	for _, c := range []struct{ text, want string }{
		{"{{ include \"ioc-lib.ioc\" . }}", ""},
		{"# nothing", ""},
		{core + "Service\nspec: {clusterIP: None}", "kind Service"},
		{core + "Secret", "kind Secret"},
		{core + "ServiceAccount", "kind ServiceAccount"},
		{core + "Namespace", "kind Namespace"},
		{rbac + "Role", "kind Role.rbac.authorization.k8s.io"},
		{rbac + "ClusterRole", "kind ClusterRole.rbac.authorization.k8s.io"},
		{
			rbac + "RoleBinding\nroleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: x}",
			"kind RoleBinding.rbac.authorization.k8s.io",
		},
		{custom + "Deployment", "kind Deployment.evil.example"},
		{custom + "X\ninner: [{privileged: true}]", "kind X.evil.example, privileged"},
		{configMap + "{name: tagline}", "name tagline"},
		{configMap + "{name: tagline-policy}", "name tagline-policy"},
		{configMap + "{name: taglines}", ""},
		{configMap + "{name: x, namespace: kube-system}", "namespace kube-system"},
		{configMap + "{name: x, namespace: bl01t}", ""},
		{configMap + "{name: x}\ndata: {secretRef: \"true\", privileged: \"true\"}", ""},
		{
			configMap + "{name: x, annotations: {helm.sh/hook: \"pre-install, post-upgrade\"}}",
			"hook post-upgrade, hook pre-install",
		},
		{
			"apiVersion: v1\nkind: List\nitems:\n  - {apiVersion: v1, kind: Secret, metadata: {name: x}}",
			"kind Secret",
		},
		{core + "Service\nspec: {externalIPs: [10.0.0.1]}", "external IP 10.0.0.1, kind Service"},
		{configMap + "{name: x, annotations: {helm.sh/resource-policy: keep}}", "resource policy keep"},
		{
			strings.Replace(modest, "gateway", "gateway\n  annotations: {helm.sh/resource-policy: keep}", 1),
			"resource policy keep",
		},
		{core + "Service\nspec: {type: ClusterIP}", "kind Service"},
		{core + "Service\nspec: {type: NodePort}", "kind Service, service type NodePort"},
		{core + "Service\nspec: {type: ExternalName}", "kind Service, service type ExternalName"},
		{job(""), "kind Job.batch"},
		{job("helm.sh/hook: pre-rollback"), "hook pre-rollback, kind Job.batch"},
		{strings.Replace(job(""), "hostNetwork", "hostPID", 1), "host processes, kind Job.batch"},
		// what only one of the two renderings shows
		{"{{ if .Release.IsUpgrade }}\n" + core + "Secret\n{{ end }}", "kind Secret"},
		{"{{ if .Release.IsInstall }}\n" + core + "Secret\n{{ end }}", "kind Secret"},
		{"{{ if gt .Release.Revision 1 }}\n" + core + "Secret\n{{ end }}", "kind Secret"},
	} {
		t.Run(c.text, func(t *testing.T) {
			got, err := Needs(own(t, map[string]string{"ioc.yaml": c.text}), "bl01t", image)
			require.NoError(t, err)
			require.Equal(t, c.want, strings.Join(got, ", "))
		})
	}
}

// Resource definitions are made before a chart's templates: those of a library chart
// too, which any tree can bring.
func TestNeedsOfResourceDefinitions(t *testing.T) {
	files := fstest.MapFS{"crds/x.yaml": {Data: []byte(
		"apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata: {name: x.example.org}\n",
	)}}
	for name, content := range lib.files {
		files[name] = &fstest.MapFile{Data: content}
	}
	bl, inst := stage(t)
	tgz, err := opened(files).Package(bl, inst, image, "1.0.0")
	require.NoError(t, err)
	got, err := Needs(tgz, "bl01t", image)
	require.NoError(t, err)
	require.Equal(t, []string{"kind CustomResourceDefinition.apiextensions.k8s.io"}, got)
}

// Helm reads a hook that begins as JSON as one object after the other, and so must be
// judged: what YAML takes for the end of a document is not the end of what is made.
func TestNeedsOfSeveralObjectsInOneDocument(t *testing.T) {
	const first = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"}}`
	const second = `{"apiVersion":"v1","kind":"Secret","metadata":{"name":"y"}}`
	for _, between := range []string{"\n", " ", "", "\n---\n", "\n...\n", "\u0085---\u0085", "\u2028---\u2028"} {
		got, err := ManifestNeeds([]string{first + between + second}, "bl01t", image)
		require.True(t, err != nil || slices.Contains(got, "kind Secret"), "%q: %v, %v", between, got, err)
		_, err = Needs(own(t, map[string]string{"x.yaml": first + between + second}), "bl01t", image)
		require.True(t, err != nil || slices.Contains(got, "kind Secret"), "%q", between)
	}
}

func TestNeedsOfWhatIsNoChart(t *testing.T) {
	_, err := Needs([]byte("x"), "bl01t", image)
	require.ErrorContains(t, err, "reading chart")
}
