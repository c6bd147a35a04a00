package helm

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/cluster/clustertest"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// site is the namespace of beamline bl01t in a cluster in memory, in which IOC a is
// deployed.
type site struct {
	*clustertest.Server
	t *testing.T
	n *cluster.Namespace
}

func newSite(t *testing.T) *site {
	t.Helper()
	server := clustertest.New(t)
	return &site{server, t, server.Namespace(t, "bl01t")}
}

// ioc is IOC a as a release has it.
type ioc struct {
	version string
	script  string   // its st.cmd
	size    string   // of its autosave volume
	own     string   // a template of its own
	needs   []string // that was consented to
}

const image = "host/ioc-x-runtime@sha256:1111111111111111111111111111111111111111111111111111111111111111"

// release is a release of the beamline, and IOC a in it.
func (i ioc) release() (ledger.Release, record.Instance) {
	digit := i.version[len(i.version)-1:]
	rel := ledger.Release{
		Record: record.Record{
			Asset: "bl01t", Version: assettest.Version(i.version), Tag: assettest.Tag("bl01t/" + i.version),
		},
		Digest: asset.Digest("sha256:" + strings.Repeat(digit, 64)), Needs: map[string][]string{"a": i.needs},
	}
	return rel, record.Instance{Name: "a", Chart: ref(digit), Image: image}
}

// chart packages the IOC on the library chart.
func (i ioc) chart(t *testing.T) []byte {
	t.Helper()
	lib, err := chart.ReadLibrary(os.DirFS("../../charts/ioc-lib"))
	require.NoError(t, err)
	inst := &beamline.Instance{
		Name: "a", Image: assettest.Pin("ioc-x 1.0.0"), Folder: "iocs/a", File: "iocs/a/values.yaml",
		Config: map[string][]byte{"st.cmd": []byte(i.script + "iocInit\n")},
		Values: beamline.Values{ProbePV: "X", Memory: "32Mi", Autosave: i.size},
	}
	if i.own != "" {
		inst.Chart = true
		inst.Own = map[string][]byte{"Chart.yaml": []byte("{}"), "templates/own.yaml": []byte(i.own)}
	}
	tgz, err := lib.Package(&beamline.Beamline{Name: "bl01t", Namespace: "bl01t"}, inst, image, i.version)
	require.NoError(t, err)
	return tgz
}

// deploy deploys the IOC with what people set for it.
func (s *site) deploy(i ioc, set ledger.Override) error {
	s.t.Helper()
	rel, inst := i.release()
	return Deploy(s.t.Context(), s.n, rel, inst, i.chart(s.t), set)
}

// deployed deploys IOCs one after another.
func (s *site) deployed(all ...ioc) {
	s.t.Helper()
	for _, i := range all {
		require.NoError(s.t, s.deploy(i, ledger.Override{}))
	}
}

// statuses are those of the stored revisions of a, newest first.
func (s *site) statuses() (all []string) {
	s.t.Helper()
	h, err := Stored(s.t.Context(), s.n)
	require.NoError(s.t, err)
	for _, r := range h["a"] {
		all = append(all, r.Status)
	}
	return all
}

// script is the start-up script that the cluster has.
func (s *site) script() string {
	s.t.Helper()
	for _, name := range s.Names("configmaps") {
		cm, err := s.n.Client.CoreV1().ConfigMaps(s.n.Name).Get(s.t.Context(), name, metav1.GetOptions{})
		require.NoError(s.t, err)
		if text, ok := cm.Data["st.cmd"]; ok {
			return strings.TrimSuffix(text, "iocInit\n")
		}
	}
	return ""
}

// claim is the size that the autosave volume has.
func (s *site) claim() string {
	s.t.Helper()
	c, err := s.n.Client.CoreV1().PersistentVolumeClaims(s.n.Name).Get(
		s.t.Context(), "a-autosave", metav1.GetOptions{},
	)
	require.NoError(s.t, err)
	return c.Spec.Resources.Requests.Storage().String()
}

// patch changes the Deployment of a by hand.
func (s *site) patch(patch string) {
	s.t.Helper()
	_, err := s.n.Client.AppsV1().Deployments(s.n.Name).Patch(
		s.t.Context(), "a", types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{},
	)
	require.NoError(s.t, err)
}

// over is a context that ended.
func over(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}
