package promote_test

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/gate"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/promote"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/registry"
)

// world is a beamline of a test: a namespace of its own in the real cluster, and
// the real registry.
type world struct {
	t         testing.TB
	line      string // the beamline, one of its own for each world
	namespace string
	cluster   *cluster.Namespace
	client    kubernetes.Interface
	registry  *registry.Registry
	image     string            // "host/path@sha256:…" of the stand-in
	own       map[string]string // by instance, a template of its own
	device    map[string]string // by instance, the path of a device of the node
	waits     map[string]bool   // by instance, start: false
	verify    *policy.Verify    // of the policy
	receivers []policy.Receiver // of the policy
}

// newWorld opens the parts that the end-to-end harness names.
func newWorld(t testing.TB) *world {
	t.Helper()
	if testing.Short() {
		t.Skip("needs a cluster and a registry")
	}
	kubeconfig, prefix := os.Getenv("TAGLINE_E2E_KUBECONFIG"), os.Getenv("TAGLINE_E2E_REGISTRY")
	if kubeconfig == "" || prefix == "" {
		t.Fatal(
			"TAGLINE_E2E_KUBECONFIG and TAGLINE_E2E_REGISTRY do not name a cluster and a registry: run `make test`, which brings them up, or `go test -short`",
		)
	}
	namespace := os.Getenv("TAGLINE_TEST_NAMESPACE") // of the test that started us, in a process of its own
	if namespace == "" {
		namespace = fmt.Sprintf("t%x", time.Now().UnixNano())
	}
	n, err := cluster.Open(cluster.Access{Kubeconfig: kubeconfig}, "bl"+namespace, namespace)
	require.NoError(t, err)
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	require.NoError(t, err)
	client, err := kubernetes.NewForConfig(config)
	require.NoError(t, err)
	reg, err := registry.New(prefix, registry.Options{})
	require.NoError(t, err)
	if os.Getenv("TAGLINE_TEST_NAMESPACE") == "" {
		t.Cleanup(func() {
			_ = client.CoreV1().Namespaces().Delete(context.Background(), namespace, metav1.DeleteOptions{})
		})
	}
	return &world{
		t: t, line: "bl" + namespace, namespace: namespace, cluster: n, client: client, registry: reg,
		image: standin(t, prefix),
	}
}

// standin builds the stand-in IOC's image once and pushes it.
func standin(t testing.TB, prefix string) string {
	t.Helper()
	digest, err := pushStandin(prefix)
	require.NoError(t, err)
	return digest
}

var pushStandin = func() func(string) (string, error) {
	var once sync.Once
	var ref string
	var err error
	return func(prefix string) (string, error) {
		once.Do(func() { ref, err = buildStandin(prefix) })
		return ref, err
	}
}()

func buildStandin(prefix string) (string, error) {
	dir, err := os.MkdirTemp("", "standin")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "standin")
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", program, "./testdata/standin")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the stand-in: %w\n%s", err, out)
	}
	files, err := rootfs(program)
	if err != nil {
		return "", err
	}
	layer, err := tarball.LayerFromOpener(
		func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files)), nil },
	)
	if err != nil {
		return "", err
	}
	img, err := mutate.AppendLayers(empty.Image, layer)
	if err != nil {
		return "", err
	}
	img, err = mutate.ConfigFile(
		img,
		&v1.ConfigFile{Architecture: "amd64", OS: "linux", RootFS: v1.RootFS{Type: "layers", DiffIDs: diffIDs(layer)},
			Config: v1.Config{
				Entrypoint: []string{"/epics/ioc/ioc", "st.cmd"},
				WorkingDir: "/epics/config",
				Env:        []string{"PATH=/usr/bin"},
			}},
	)
	if err != nil {
		return "", err
	}
	digest, err := img.Digest()
	if err != nil {
		return "", err
	}
	repo, err := name.NewRepository(prefix + "/standin-runtime")
	if err != nil {
		return "", err
	}
	at := repo.Digest(digest.String())
	return at.String(), remote.Write(at, img)
}

func diffIDs(layer v1.Layer) []v1.Hash {
	h, err := layer.DiffID()
	if err != nil {
		panic(err) // it was just made from memory
	}
	return []v1.Hash{h}
}

// rootfs is the image's one layer: the program under four names.
func rootfs(program string) ([]byte, error) {
	body, err := os.ReadFile(program)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, dir := range []string{
		"usr/", "usr/bin/", "epics/", "epics/ioc/", "epics/ioc-run/", "epics/config/", "tmp/",
	} {
		if err := w.WriteHeader(&tar.Header{Name: dir, Typeflag: tar.TypeDir, Mode: 0o755}); err != nil {
			return nil, err
		}
	}
	if err := w.WriteHeader(&tar.Header{Name: "epics/ioc/ioc", Mode: 0o755, Size: int64(len(body))}); err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	for _, link := range []string{"usr/bin/env", "epics/ioc-run/ioc-run", "epics/ioc-run/ioc-ask"} {
		header := &tar.Header{Name: link, Typeflag: tar.TypeSymlink, Linkname: "/epics/ioc/ioc"}
		if err := w.WriteHeader(header); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), w.Close()
}

// What a stand-in's start-up script may say.
const (
	answers = "# standin pv %[1]s:X 5\niocInit\n"
	deaf    = "# standin deaf\niocInit\n"
	crashes = "# standin crash drvAsynIPPortConfigure: no such host moxa-7\niocInit\n"
)

// release packages and pushes the charts of a release with these instances, by
// name, with a record and a pass.
func (w *world) release(at string, scripts map[string]string) gate.Pass {
	w.t.Helper()
	bl := &beamline.Beamline{Name: asset.Name(w.line), Namespace: w.namespace}
	rec := &record.Record{
		Schema: "tagline.record/v1", Kind: asset.Beamline, Asset: bl.Name, Version: assettest.Version(at),
		Tag: assettest.Tag(w.line + "/" + at), Namespace: w.namespace,
	}
	pin, err := asset.ParsePin("standin 1.0.0")
	require.NoError(w.t, err)
	lib, err := chart.ReadLibrary(os.DirFS("../../charts/ioc-lib"))
	require.NoError(w.t, err)
	needs, consents := map[string][]string{}, []policy.Consent(nil)
	for _, name := range sorted(scripts) {
		script := scripts[name]
		if strings.Contains(script, "%") {
			script = fmt.Sprintf(script, strings.ToUpper(name))
		}
		inst := &beamline.Instance{
			Name:   name,
			Image:  pin,
			Folder: "iocs/" + name,
			File:   "iocs/" + name + "/values.yaml",
			Config: map[string][]byte{"st.cmd": []byte(script)},
			Values: beamline.Values{ProbePV: strings.ToUpper(name) + ":X", Memory: "32Mi", GraceSeconds: 5},
		}
		if w.waits[name] {
			inst.Values.Start = new(bool)
		}
		if path := w.device[name]; path != "" {
			inst.Values.Devices = []beamline.Device{{Path: path}}
		}
		if text := w.own[name]; text != "" {
			inst.Chart = true
			inst.Own = map[string][]byte{"Chart.yaml": []byte("{}"), "templates/own.yaml": []byte(text)}
		}
		tgz, err := lib.Package(bl, inst, w.image, at)
		require.NoError(w.t, err)
		if needs[name], err = chart.Needs(tgz, w.namespace, w.image); len(needs[name]) == 0 {
			delete(needs, name)
		} else {
			consents = append(consents, policy.Consent{Charts: []string{name}, To: needs[name]})
		}
		require.NoError(w.t, err)
		art, err := w.registry.PushChart(w.t.Context(), tgz)
		require.NoError(w.t, err)
		rec.Instances = append(rec.Instances, record.Instance{
			Name: name, Chart: art.Pinned(), Image: asset.Ref(w.image), IOC: pin, ProbePV: inst.Values.ProbePV,
			Protocol: "ca", Stopped: w.waits[name],
		})
		rec.Checks = append(rec.Checks, record.Test{
			Name: record.BootTest, Of: name, Digest: asset.Ref(w.image).Digest(), Passed: true,
			PVs: []record.PV{{Name: inst.Values.ProbePV, Type: "ai"}},
		})
	}
	text, err := json.Marshal(rec)
	require.NoError(w.t, err)
	digest := asset.Digest(fmt.Sprintf("sha256:%x", sha256.Sum256(text)))
	pass, err := gate.Decide(gate.Facts{
		Beamline: rec.Asset, Namespace: rec.Namespace, Now: time.Now(),
		Release: &attest.Release{Record: rec, Digest: digest}, Needs: needs,
		Policy: &policy.Policy{
			Unsigned: "the gate has tests of its own", Consents: consents, Verify: w.verify, Events: w.receivers,
		},
	}).Pass()
	require.NoError(w.t, err)
	return pass
}

func (w *world) access() cluster.Access {
	return cluster.Access{Kubeconfig: os.Getenv("TAGLINE_E2E_KUBECONFIG")}
}

func (w *world) deps() promote.Deps {
	return promote.Deps{
		Cluster: w.cluster,
		Chart:   w.registry.Chart,
		May:     func(context.Context, ledger.Release) (gate.Pass, error) { return gate.Pass{}, nil },
		Holder:  fmt.Sprintf("%s, process %d at %d", w.t.Name(), os.Getpid(), time.Now().UnixNano()),
		Timeout: 2 * time.Minute,
	}
}
