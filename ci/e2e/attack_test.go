package e2e

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/static"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/stretchr/testify/require"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// greedy needs what no IOC does, in spellings that hide it: two objects in one document
// that begins as JSON, of which the second is a hook, and root as Kubernetes reads it.
const greedy = `{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "harmless"}}
{"apiVersion": "v1", "kind": "ConfigMap", "metadata":
  {"name": "caught", "annotations": {"helm.sh/hook": "pre-install"}}}
---
apiVersion: v1
kind: Service
metadata: {name: taker}
spec: {type: LoadBalancer, externalIPs: [10.0.0.1], ports: [{port: 53}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: beside, annotations: {helm.sh/resource-policy: keep}}
spec:
  selector: {matchLabels: {a: b}}
  template:
    metadata: {labels: {a: b}}
    spec:
      automountServiceAccountToken: false
      priorityClassName: system-node-critical
      runtimeClassName: legacy
      securityContext: {runAsUser: -0.0}
      containers:
        - name: c
          image: "{{ .Values.image }}"
          ports: [{containerPort: 5064, hostPort: 22}]
          securityContext: {allowPrivilegeEscalation: false}
`

// curious is harmless at the gate, and reads a Secret in the cluster.
const curious = `{{ include "ioc-lib.ioc" . }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: caught}
data: {x: {{ lookup "v1" "Secret" .Release.Namespace "" | toJson | quote }}}
`

// TestAttacksOfACommit tags commits with charts of their own, forges a record, and
// promotes while the policy changes. Each is refused, and nothing of it is in the cluster.
func TestAttacksOfACommit(t *testing.T) {
	s, reg := newSite(t, "bl84t"), registry(t)
	s.images(reg)
	ok(t, s.dir, "policy", "init", "bl84t")
	t.Cleanup(func() { remove(t, "bl84t") })
	n, err := cluster.Open(cluster.Access{Kubeconfig: env.Kubeconfig}, "bl84t", "bl84t")
	require.NoError(t, err)
	s.write(s.instance("01", "Chart.yaml"), "description: its own\n")
	s.write(s.instance("01", "templates/own.yaml"), curious)
	s.commit("bl84t/1.0.0")
	s.write(s.instance("01", "templates/more.yaml"), greedy)
	s.commit("bl84t/1.0.1")
	for _, tag := range []string{"bl84t/1.0.0", "bl84t/1.0.1"} {
		ok(t, s.dir, "release", tag, "--registry", reg)
	}
	s.forge(reg)
	for version, says := range map[string][]string{
		"1.0.1": {
			"hook pre-install", "kind Service", "external IP 10.0.0.1", "priority class system-node-critical",
			"runtime class legacy", `"root"`, "service type LoadBalancer", "host port 22", "resource policy keep",
		},
		"9.9.9": {"its chart ../../x is "},
	} {
		for _, verb := range []string{"gate", "promote"} {
			r := run(t, s.dir, verb, "bl84t", version, "--registry", reg)
			require.Equal(t, 3, r.status, r.err)
			for _, need := range says {
				require.Contains(t, r.err, need)
			}
		}
	}
	s.changesMeanwhile(n, reg)
	ok(t, s.dir, "gate", "bl84t", "1.0.0", "--registry", reg)
	r := run(t, s.dir, "promote", "bl84t", "1.0.0", "--registry", reg)
	require.NotEqual(t, 0, r.status)
	require.Contains(t, r.err, "a template of its chart looks up /api/v1/namespaces/bl84t/secrets")
	left, err := n.Client.AppsV1().Deployments(n.Name).List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.Empty(t, left.Items)
	for _, caught := range []string{"caught", "harmless"} {
		_, err = n.Client.CoreV1().ConfigMaps(n.Name).Get(t.Context(), caught, metav1.GetOptions{})
		require.True(t, apierrors.IsNotFound(err), "%s: %v", caught, err)
	}
}

// forge puts a record into the registry that names an instance as a way out of a folder.
func (s *site) forge(reg string) {
	s.t.Helper()
	at, err := name.NewTag(reg + "/records/bl84t:1.0.0")
	require.NoError(s.t, err)
	img, err := remote.Image(at)
	require.NoError(s.t, err)
	layers, err := img.Layers()
	require.NoError(s.t, err)
	body, err := layers[0].Compressed()
	require.NoError(s.t, err)
	defer body.Close()
	text, err := io.ReadAll(body)
	require.NoError(s.t, err)
	text = bytes.Replace(text, []byte(`"name": "bl84t-mo-ioc-01",`), []byte(`"name": "../../x",`), 1)
	text = bytes.ReplaceAll(text, []byte("1.0.0"), []byte("9.9.9"))
	require.Contains(s.t, string(text), "../../x")
	forged := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), record.MediaType)
	forged, err = mutate.AppendLayers(forged, static.NewLayer(text, record.MediaType))
	require.NoError(s.t, err)
	require.NoError(s.t, remote.Write(at.Context().Tag("9.9.9"), forged))
}

// changesMeanwhile promotes while somebody else has the lock, who holds the beamline.
func (s *site) changesMeanwhile(n *cluster.Namespace, reg string) {
	s.t.Helper()
	open := filepath.Join(s.t.TempDir(), "open.yaml")
	held := filepath.Join(s.t.TempDir(), "held.yaml")
	text := ok(s.t, s.dir, "policy", "show", "bl84t")
	require.NoError(s.t, os.WriteFile(open, []byte(text), 0o600))
	require.NoError(s.t, os.WriteFile(held, []byte(text+"holds:\n  - {why: vacuum work}\n"), 0o600))
	cmd := exec.CommandContext(s.t.Context(), tagline, "promote", "bl84t", "1.0.0", "--registry", reg)
	cmd.Dir = s.dir
	said, err := cmd.StderrPipe()
	require.NoError(s.t, err)
	var before []byte
	work := func(_, _ context.Context, _ *cluster.Namespace) error {
		require.NoError(s.t, cmd.Start())
		for one := make([]byte, 1); !bytes.Contains(before, []byte("somebody else is changing it")); {
			_, err := said.Read(one)
			require.NoError(s.t, err, "%s", before)
			before = append(before, one...)
		}
		ok(s.t, s.dir, "policy", "apply", "bl84t", held)
		return nil
	}
	require.NoError(s.t, ledger.Locked(s.t.Context(), n, "somebody else", work))
	after, err := io.ReadAll(said)
	require.NoError(s.t, err)
	require.Error(s.t, cmd.Wait())
	require.Equal(s.t, 3, cmd.ProcessState.ExitCode(), "%s%s", before, after)
	require.Contains(s.t, string(after), "vacuum work")
	ok(s.t, s.dir, "policy", "apply", "bl84t", open)
}
