package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// TestOrdinaryInstances releases and promotes instances as beamlines have them: an
// empty autosave volume, a port of its own, a link to a PV that nobody serves, and
// a config folder that no ConfigMap can have. The IOC reads all of it.
func TestOrdinaryInstances(t *testing.T) {
	s, reg := newSite(t, "bl96t"), registry(t)
	s.images(reg)
	s.write(s.instance("01", "values.yaml"), `image: ioc-simstage 1.0.0
probePV: BL96T-MO-IOC-01:HEARTBEAT
autosave: 10Mi
env:
  EPICS_CA_SERVER_PORT: "6064"
  EPICS_CAS_INTF_ADDR_LIST: 127.0.0.1
`)
	s.write(s.instance("01", "config/links.db"), `record(ai, "BL96T-MO-IOC-01:COPY") {
	field(INP, "BL96T-MO-NOBODY-01:RBV CP MS")
}
`)
	s.edit(s.instance("01", "config/st.cmd"), "iocInit", "dbLoadRecords \"links.db\"\niocInit")

	var large strings.Builder
	for n := range 12_000 {
		fmt.Fprintf(
			&large, "# %s\nrecord(ai, \"BL96T-MO-IOC-02:LARGE%d\") { field(DESC, \"%d\") }\n",
			strings.Repeat("-", 200), n, n,
		)
	}
	require.Greater(t, large.Len(), 3_000_000)
	s.write(s.instance("02", "config/db/large.db"), large.String())
	s.write(s.instance("02", "config/db/latin1.db"), "# \xb5m\n"+
		"record(ai, \"BL96T-MO-IOC-02:LATIN1\") { field(EGU, \"\xb5m\") }\n")
	s.write(s.instance("02", "config/positions.bin"), "\x00\xff\xfe\n")
	s.edit(
		s.instance("02", "config/st.cmd"), "iocInit",
		"dbLoadRecords \"db/large.db\"\ndbLoadRecords \"db/latin1.db\"\niocInit",
	)
	s.commit("bl96t/2026.11.1")

	ok(t, s.dir, "check", "bl96t/2026.11.1", "--registry", reg)
	ok(t, s.dir, "release", "bl96t/2026.11.1", "--registry", reg)
	var rec record.Record
	read(t, &rec, s.dir, "record", "bl96t/2026.11.1", "--registry", reg)
	require.Contains(t, string(rec.Instances[0].Image), "/ioc-simstage-runtime@sha256:")
	require.Contains(t, string(rec.Instances[1].Image), "/instances/bl96t-mo-ioc-02@sha256:")

	ok(t, s.dir, "promote", "bl96t", "2026.11.1", "--registry", reg)
	t.Cleanup(func() { remove(t, "bl96t") })
	st := status(t, s, "bl96t")
	require.Len(t, st.Instances, 2)
	for _, ioc := range st.Instances {
		require.True(t, ioc.Ready, ioc.Name)
	}
	found := ok(t, s.dir, "find", "BL96T-MO-IOC-02:LARGE11999")
	require.Contains(t, found, "bl96t-mo-ioc-02")
}

// TestWhatAnInstanceNeedsOfKubernetes promotes an instance with a folder of the node,
// a folder of its own, a container before it and one beside it, another in the network of
// pods, and a service. The beamline's policy must consent to what is beyond an IOC.
func TestWhatAnInstanceNeedsOfKubernetes(t *testing.T) {
	s, reg := newSite(t, "bl87t"), registry(t)
	s.images(reg)
	folder := t.TempDir()
	require.NoError(t, os.Chmod(folder, 0o777))
	n, err := cluster.Open(cluster.Access{Kubeconfig: env.Kubeconfig}, "bl87t", "bl87t")
	require.NoError(t, err)
	s.write(s.instance("01", "values.yaml"), reaching(t, n, folder))
	web := s.web(reg)
	s.write(s.instance("02", "values.yaml"), usual+"opi: {image: "+web+", port: 8080, mountPath: /screens}\n")
	s.write(s.instance("02", "config/opi/main.bob"), "<display/>\n")
	service := s.service(reg)
	page := filepath.Join("beamlines", s.line, "iocs", s.line+"-ea-page-01")
	s.write(filepath.Join(page, "values.yaml"), "service: a page\nimage: "+strings.Split(web, "@")[0]+
		"\nboot: {command: [perl, -e, 'exit(-e \"/epics/config/greeting\" ? 0 : 1)']}\n")
	s.write(filepath.Join(page, "config/greeting"), "hello\n")
	s.commit("bl87t/0.9.0")
	require.Contains(t, run(t, s.dir, "release", "bl87t/0.9.0", "--registry", reg).err, "tagline lock bl87t")
	ok(t, s.dir, "lock", "bl87t")
	s.commit("bl87t/1.0.0")
	ok(t, s.dir, "release", "bl87t/1.0.0", "--registry", reg)
	ok(t, s.dir, "policy", "init", "bl87t")
	t.Cleanup(func() { remove(t, "bl87t") })
	_, err = n.Client.CoreV1().ServiceAccounts(n.Name).Create(t.Context(), &corev1.ServiceAccount{
		ObjectMeta: metav1.ObjectMeta{Name: "diffraction"},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	r := run(t, s.dir, "promote", "bl87t", "1.0.0", "--registry", reg)
	require.Equal(t, 3, r.status, r.err)
	for _, need := range []string{
		"host path " + folder, "host path " + device, "privileged", "service account diffraction",
	} {
		require.Contains(t, r.err, need)
	}
	require.Contains(t, r.err, "image "+service)
	require.Contains(t, r.err, "kind Service")
	require.Contains(t, r.err, "priority class system-cluster-critical")
	require.Contains(t, r.err, "image "+web)
	require.NoFileExists(t, filepath.Join(folder, "before"))

	policy := filepath.Join(t.TempDir(), "policy.yaml")
	require.NoError(t, os.WriteFile(policy, fmt.Appendf(
		nil, "%sconsents:\n  - {charts: [bl87t-mo-ioc-01], to: [host path %s, host path "+device+
			", privileged, privilege escalation, service account diffraction]}\n"+
			"  - {charts: [bl87t-ea-beat-01], to: [\"image %s\"]}\n"+
			"  - {charts: [bl87t-mo-ioc-02], to: [kind Service, priority class system-cluster-critical]}\n"+
			"  - {charts: [bl87t-mo-ioc-02, bl87t-ea-page-01], to: [\"image %s\"]}\n",
		ok(t, s.dir, "policy", "show", "bl87t"), folder, service, web,
	), 0o600))
	ok(t, s.dir, "policy", "apply", "bl87t", policy)
	ok(t, s.dir, "promote", "bl87t", "1.0.0", "--registry", reg)
	for file, text := range map[string]string{"before": "1000\n", "beside": "cp\n"} {
		seen, err := os.ReadFile(filepath.Join(folder, file))
		require.NoError(t, err)
		require.Equal(t, text, string(seen))
	}
	st := status(t, s, "bl87t")
	require.Len(t, st.Instances, 4)
	for _, ioc := range st.Instances {
		require.True(t, ioc.Ready, ioc.Name)
	}
	require.Contains(t, ok(t, s.dir, "gate", "bl87t", "1.0.0", "--registry", reg), "its boot command passed")
	readsDevice(t, n, "bl87t-mo-ioc-01")
	askByService(t, "bl87t")
	require.Equal(t, "a heartbeat for the log", st.Instances[0].IOC)
	require.Contains(t, ok(t, s.dir, "logs", "bl87t", "bl87t-ea-beat-01"), "beat of bl87t")
	ok(t, s.dir, "stop", "bl87t", "bl87t-ea-beat-01", "--reason", "it is loud")
	require.False(t, status(t, s, "bl87t").Instances[0].Ready)
}

// reaching returns values of an instance that reach beyond its pod: to a folder, a device
// and the name of the cluster's node, and to a service account.
func reaching(t *testing.T, n *cluster.Namespace, folder string) string {
	nodes, err := n.Client.CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	return fmt.Sprintf(`image: ioc-simstage 1.0.0
probePV: BL87T-MO-IOC-01:HEARTBEAT
nodeName: %s
serviceAccount: diffraction
devices: [{path: %s, group: 20}]
volumes:
  - {name: node, mountPath: /node, hostPath: %s}
labels: {example.org/owner: controls}
initContainers:
  - name: before
    command: [/bin/sh, -c, "id -u > /node/before"]
    volumeMounts: [{name: node, mountPath: /node}]
containers:
  - name: beside
    command: [/bin/sh, -c, "cp /proc/self/comm /own/beside && cp /own/beside /node/beside && exec sleep infinity"]
    volumeMounts: [{name: node, mountPath: /node}, {name: own, mountPath: /own}]
pod:
  volumes: [{name: own, emptyDir: {medium: Memory}}]
`, nodes.Items[0].Labels["kubernetes.io/hostname"], serial(t), folder)
}

// device is a device of the node that its group alone may open. It reads as zeros.
const device = "/dev/tagline-e2e"

// serial makes the device, and returns its path.
func serial(t *testing.T) string {
	_ = os.Remove(device)
	t.Cleanup(func() { os.Remove(device) })
	require.NoError(t, syscall.Mknod(device, syscall.S_IFCHR, 1<<8|5))
	require.NoError(t, os.Chown(device, 0, 20))
	require.NoError(t, os.Chmod(device, 0o060))
	return device
}

// readsDevice reads the device where an IOC runs, as its user.
func readsDevice(t *testing.T, n *cluster.Namespace, ioc string) {
	pod, err := pods.Instance(t.Context(), n, ioc)
	require.NoError(t, err)
	seen, err := pods.Exec(t.Context(), n, pod, "sh", "-c", "id -u && head -c 2 "+device+" | od -An -tx1")
	require.NoError(t, err)
	require.Equal(t, "1000\n 00 00\n", seen)
}

// askByService asks the second IOC at the address of its Service, over both protocols,
// from the first, which is on the network of the node.
func askByService(t *testing.T, line string) {
	n, err := cluster.Open(cluster.Access{Kubeconfig: env.Kubeconfig}, line, line)
	require.NoError(t, err)
	service, err := n.Client.CoreV1().Services(n.Name).Get(t.Context(), line+"-mo-ioc-02", metav1.GetOptions{})
	require.NoError(t, err)
	pod, err := n.Client.CoreV1().Pods(n.Name).List(
		t.Context(), metav1.ListOptions{LabelSelector: "app.kubernetes.io/instance=" + line + "-mo-ioc-02"},
	)
	require.NoError(t, err)
	require.Len(t, pod.Items, 1)
	require.NotEqual(t, pod.Items[0].Status.HostIP, pod.Items[0].Status.PodIP)
	screen, err := http.Get("http://" + service.Spec.ClusterIP + ":8080/main.bob")
	require.NoError(t, err)
	defer screen.Body.Close()
	text, err := io.ReadAll(screen.Body)
	require.NoError(t, err)
	require.Equal(t, "<display/>\n", string(text))
	client, err := pods.Instance(t.Context(), n, line+"-mo-ioc-01")
	require.NoError(t, err)
	for tool, where := range map[string][]string{
		"caget": {"EPICS_CA_AUTO_ADDR_LIST=NO", "EPICS_CA_ADDR_LIST=" + service.Spec.ClusterIP},
		"pvget": {"EPICS_PVA_AUTO_ADDR_LIST=NO", "EPICS_PVA_ADDR_LIST=" + service.Spec.ClusterIP},
	} {
		pv := strings.ToUpper(line) + "-MO-IOC-02:HEARTBEAT"
		value, err := pods.Exec(
			t.Context(), n, client, slices.Concat([]string{"env"}, where, []string{tool, "-w", "20", pv})...,
		)
		require.NoError(t, err, "%s at %s", tool, service.Spec.ClusterIP)
		require.Contains(t, value, pv)
	}
}

// usual has values of an instance of which none but the network needs consent.
const usual = `image: ioc-simstage 1.0.0
probePV: BL87T-MO-IOC-02:HEARTBEAT
network: cluster
protocol: pva
probeAdvances: true
startup: {within: 3m}
cpu: 10m
memory: 256Mi
tolerations: [{key: beamline, operator: Exists}]
nodeSelector: {kubernetes.io/os: linux}
affinity:
  podAntiAffinity:
    preferredDuringSchedulingIgnoredDuringExecution:
      - weight: 1
        podAffinityTerm: {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {a: b}}}
priorityClass: system-cluster-critical
imagePullSecrets: [of-no-registry]
annotations: {example.org/page: how to mend it}
pod: {hostAliases: [{ip: 127.0.0.1, hostnames: [device]}]}
container: {env: [{name: MORE, value: of it}]}
`

// TestKubernetesTakesEachChart asks the API server whether it would take what the
// values of an instance render to: each golden file of the library chart.
func TestKubernetesTakesEachChart(t *testing.T) {
	config, err := clientcmd.BuildConfigFromFlags("", env.Kubeconfig)
	require.NoError(t, err)
	client, err := dynamic.NewForConfig(config)
	require.NoError(t, err)
	kinds := map[string]schema.GroupVersionResource{
		"ConfigMap": {Version: "v1", Resource: "configmaps"}, "Service": {Version: "v1", Resource: "services"},
		"PersistentVolumeClaim": {Version: "v1", Resource: "persistentvolumeclaims"},
		"Deployment":            {Group: "apps", Version: "v1", Resource: "deployments"},
	}
	goldens, err := filepath.Glob("../../pipelines/chart/testdata/*.yaml")
	require.NoError(t, err)
	require.Greater(t, len(goldens), 10)
	try := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict}
	for _, golden := range goldens {
		text, err := os.ReadFile(golden)
		require.NoError(t, err)
		for doc := range strings.SplitSeq(string(text), "\n---\n") {
			object := &unstructured.Unstructured{}
			require.NoError(t, yaml.Unmarshal([]byte(doc), &object.Object), golden)
			kind, known := kinds[object.GetKind()]
			require.True(t, known, "%s: %q", golden, object.GetKind())
			_, err := client.Resource(kind).Namespace("default").Create(t.Context(), object, try)
			require.NoError(t, err, golden)
		}
	}
}

// web pushes an image that serves the files of /screens, as a site's own would, and
// returns it by tag and digest.
func (s *site) web(reg string) string {
	var rec record.Record
	read(s.t, &rec, s.dir, "record", "ioc-simstage/1.0.0", "--registry", reg)
	from, err := name.ParseReference(string(rec.Image(asset.Runtime).Pinned()))
	require.NoError(s.t, err)
	img, err := remote.Image(from)
	require.NoError(s.t, err)
	img, err = mutate.Config(img, v1.Config{Entrypoint: []string{"perl", "-MIO::Socket::INET", "-e", serveFiles}})
	require.NoError(s.t, err)
	to, err := name.ParseReference(reg + "/web:1")
	require.NoError(s.t, err)
	require.NoError(s.t, remote.Write(to, img))
	digest, err := img.Digest()
	require.NoError(s.t, err)
	return to.Name() + "@" + digest.String()
}

// serveFiles is a web server in a line of perl.
const serveFiles = `$s = IO::Socket::INET->new(LocalPort => 8080, Listen => 5, ReuseAddr => 1) or die $!;
while ($c = $s->accept) {
	($path) = <$c> =~ m{GET (/\S*)}; local $/; open $f, "<", "/screens$path";
	print $c "HTTP/1.0 200 OK\r\n\r\n", <$f>; close $c;
}`

// service adds a service to the beamline, and returns the image that it runs.
func (s *site) service(reg string) string {
	var rec record.Record
	read(s.t, &rec, s.dir, "record", "ioc-simstage/1.0.0", "--registry", reg)
	image := string(rec.Image(asset.Runtime).Pinned())
	folder := filepath.Join("beamlines", s.line, "iocs", s.line+"-ea-beat-01")
	s.write(filepath.Join(folder, "values.yaml"), "service: a heartbeat for the log\n")
	s.write(filepath.Join(folder, "config/name"), s.line+"\n")
	s.write(filepath.Join(folder, "Chart.yaml"), "description: says that it lives\n")
	s.write(filepath.Join(folder, "templates/beat.yaml"), fmt.Sprintf(beat, image))
	return image
}

// beat is the chart of a service: no IOC, in an image by its digest.
const beat = `apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Chart.Name }}}
data: {{ (.Files.Glob "config/*").AsConfig | nindent 2 }}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Chart.Name }}}
spec:
  selector: {matchLabels: {app: beat}}
  template:
    metadata: {labels: {app: beat}}
    spec:
      automountServiceAccountToken: false
      securityContext: {runAsNonRoot: true, runAsUser: 1000, seccompProfile: {type: RuntimeDefault}}
      terminationGracePeriodSeconds: 1
      volumes: [{name: config, configMap: {name: {{ .Chart.Name }}}}]
      containers:
        - name: beat
          image: %s
          command: [/bin/sh, -c, 'while sleep 1; do echo "beat of $(cat /config/name)"; done']
          securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
          volumeMounts: [{name: config, mountPath: /config}]
`
