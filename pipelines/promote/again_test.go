package promote_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/attest"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/chart"
	"github.com/tagline-ci/tagline/pipelines/cluster/clustertest"
	"github.com/tagline-ci/tagline/pipelines/gate"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/policy"
	"github.com/tagline-ci/tagline/pipelines/promote"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/step"
)

// passOf lets a release of one service through, by a record of a digest, or what is made
// of it.
func passOf(t *testing.T, digest string, change ...func(*record.Record)) gate.Pass {
	t.Helper()
	d := asset.Digest("sha256:" + strings.Repeat(digest, 64))
	rec := &record.Record{
		Kind: asset.Beamline, Asset: "bl01t", Version: assettest.Version("1.0.0"), Tag: assettest.Tag("bl01t/1.0.0"),
		Namespace: "bl01t",
		Instances: []record.Instance{{Name: "a", Service: "x", Chart: asset.Ref("h.x/charts/a@" + d)}},
		Checks:    []record.Test{{Name: record.UniquePVsTest, Passed: true}},
	}
	for _, set := range change {
		set(rec)
	}
	pass, err := gate.Decide(gate.Facts{
		Beamline: "bl01t", Namespace: "bl01t", Release: &attest.Release{Record: rec, Digest: d}, Now: time.Now(),
		Policy: &policy.Policy{Unsigned: "a test"},
	}).Pass()
	require.NoError(t, err)
	return pass
}

// An IOC that was not ready when its node went gets what is promoted when the node is
// back, and nobody waits for it: neither the change, nor the pods that fetch images. Who may
// not look at nodes is told that it may be gone, at once.
func TestAPromotionGoesAroundADeadIOCOfANodeThatIsGone(t *testing.T) {
	t.Run("who may look at nodes", func(t *testing.T) { goesAround(t, "", "node ws011 is gone") })
	t.Run("who may not", func(t *testing.T) {
		goesAround(t, "GET nodes/", "its node ws011 does not answer and may be gone: with nodes=true in the roles")
	})
}

func goesAround(t *testing.T, forbidden, says string) {
	s := clustertest.New(t, &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: clustertest.Node}})
	n := s.Namespace(t, "bl01t")
	lib, err := chart.ReadLibrary(os.DirFS("../../charts/ioc-lib"))
	require.NoError(t, err)
	s.Refuse(forbidden)
	var said strings.Builder
	var mu sync.Mutex
	told := step.WithSink(t.Context(), func(e step.Event) {
		mu.Lock()
		defer mu.Unlock()
		said.WriteString(e.Line + "\n")
	})
	run := func(digest string) (*promote.Result, error) {
		pass := passOf(t, digest, func(rec *record.Record) {
			at := asset.Digest("sha256:" + strings.Repeat(digest, 64))
			i := &rec.Instances[0]
			i.Service, i.Image, i.IOC = "", asset.Ref("h.x/i@"+at), assettest.Pin("ioc-x 1.0.0")
			rec.Checks = append(rec.Checks, record.Test{Name: record.BootTest, Of: "a", Passed: true, Digest: at})
		})
		return promote.Run(told, promote.Deps{
			Cluster: n, Holder: "me", Timeout: 10 * time.Second,
			Again: func(context.Context) (gate.Pass, error) { return pass, nil },
			Chart: func(_ context.Context, at asset.Ref) ([]byte, error) {
				return lib.Package(&beamline.Beamline{Name: "bl01t", Namespace: "bl01t"}, &beamline.Instance{
					Name: "a", Image: assettest.Pin("ioc-x 1.0.0"), Folder: "iocs/a", File: "iocs/a/values.yaml",
					Config: map[string][]byte{"st.cmd": []byte("iocInit\n# " + digest + "\n")},
					Values: beamline.Values{ProbePV: "X", Memory: "32Mi"},
				}, "h.x/i@"+string(at.Digest()), "1.0.0")
			},
		}, pass)
	}
	_, err = run("a")
	require.NoError(t, err)
	s.Unready(func(string) bool { return true })
	require.NoError(t, n.Client.CoreV1().Pods(n.Name).Delete(t.Context(), s.Names("pods")[0], metav1.DeleteOptions{}))
	s.Lose(clustertest.Node)
	result, err := run("b")
	require.NoError(t, err)
	require.Len(t, result.IOCs, 1)
	require.Contains(t, result.IOCs[0].Doing, says)
	require.Regexp(t, "is not waited for: .*"+says, said.String())
	require.Len(t, s.Names("pods"), 1, "its own, which can't end")
}

// A run may wait for the lock while the policy changes. What the gate says then is what
// counts, and nothing is touched where it is closed, or lets another record through.
func TestTheGateIsAskedAgainUnderTheLock(t *testing.T) {
	for name, c := range map[string]struct {
		again func(*testing.T) (gate.Pass, error)
		says  string
	}{
		"closed meanwhile": {
			func(*testing.T) (gate.Pass, error) { return gate.Pass{}, errors.New("on hold") }, "on hold",
		},
		"another record": {
			func(t *testing.T) (gate.Pass, error) { return passOf(t, "b"), nil }, "and then sha256:bbbb",
		},
		"open still": {func(t *testing.T) (gate.Pass, error) { return passOf(t, "a"), nil }, "no chart"},
	} {
		t.Run(name, func(t *testing.T) {
			s := clustertest.New(t)
			n := s.Namespace(t, "bl01t")
			held := false
			_, err := promote.Run(t.Context(), promote.Deps{
				Cluster: n, Holder: "me", Timeout: time.Minute,
				Again: func(ctx context.Context) (gate.Pass, error) {
					held = len(s.Names("leases")) == 1
					return c.again(t)
				},
				Chart: func(context.Context, asset.Ref) ([]byte, error) { return nil, errors.New("no chart") },
			}, passOf(t, "a"))
			require.ErrorContains(t, err, c.says)
			require.True(t, held, "it was asked under the lock")
			require.Equal(t, []string{"POST namespaces"}, s.Changes())
			_, err = ledger.Read(t.Context(), n)
			require.NoError(t, err)
		})
	}
}
