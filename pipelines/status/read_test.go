package status

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	metadatafake "k8s.io/client-go/metadata/fake"
	ktest "k8s.io/client-go/testing"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/helm"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/pods"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// ran is a release of IOC a.
func ran(version, digit string) ledger.Release {
	return ledger.Release{
		Record: record.Record{Version: assettest.Version(version), Instances: []record.Instance{{
			Name: "a", Chart: ref("1"), IOC: assettest.Pin("ioc-simstage 1.0.0"),
		}}},
		Digest: asset.Digest("sha256:" + strings.Repeat(digit, 64)), Since: now,
	}
}

func TestStatusTellsTheRelease(t *testing.T) {
	n := &cluster.Namespace{Name: "lab", Beamline: "bl01t"}
	hold := &ledger.Note{By: "ada", Reason: "rolled back from 3.0"}
	st := Facts{Ledger: &ledger.Ledger{
		Releases: []ledger.Release{ran("2.0", "2"), ran("1.1", "1"), ran("1.0", "0")}, Hold: hold,
		Underway: &ledger.Underway{Version: assettest.Version("4.0")},
	}, Strays: []string{"x"}}.Status(n)
	require.Equal(
		t, []string{"bl01t", "lab", "2.0", "4.0"},
		[]string{st.Beamline, st.Namespace, st.Version, st.Underway},
	)
	require.Equal(t, "sha256:"+strings.Repeat("2", 64), st.Record)
	require.Equal(t, now, st.Since)
	require.Equal(t, []string{"1.1", "1.0"}, st.Before, "the newest first, without the one that runs")
	require.Equal(t, []string{"x"}, st.Strays)
	require.Equal(t, hold, st.Hold)
	require.Equal(t, []string{"it is not in the cluster"}, st.Instances[0].Drift)
}

// Before the first promotion nothing is null in the JSON, so that programs may count.
func TestStatusBeforeTheFirstPromotion(t *testing.T) {
	st := Facts{Ledger: &ledger.Ledger{}}.Status(&cluster.Namespace{Name: "bl01t", Beamline: "bl01t"})
	require.Equal(t, &Status{
		Beamline: "bl01t", Namespace: "bl01t", Before: []string{}, Instances: []IOC{}, Strays: []string{},
	}, st)
	require.Equal(t, Well, st.Level(now))
}

// Who stopped an IOC is told in place of what its Deployment does, as long as no pod is left.
func TestStatusTellsWhatPeopleSet(t *testing.T) {
	f := Facts{
		Ledger:  &ledger.Ledger{Releases: []ledger.Release{ran("1.0", "1")}},
		History: helm.History{"a": {revision(1, "deployed", "1")}},
		States: map[string]pods.State{"a": {
			Doing: "stopped: scaled to 0", Node: "ws011", Image: "host/x@sha256:" + strings.Repeat("7", 64),
			Generation: 7, Turned: now,
		}},
	}
	trouble, wrong := f.Status(&cluster.Namespace{Beamline: "bl01t"}).Instances[0].Trouble(now)
	require.True(t, wrong)
	require.Equal(t, ledger.Trouble{
		State: "not ready", Doing: "stopped: scaled to 0", Version: "2026.11.1", Drift: []string{}, Generation: 7,
		Turned: now,
	}, trouble)
	f.Ledger.Override("a", ledger.Override{
		Stopped: &ledger.Note{By: "ada", Since: now, Reason: "vacuum work"}, Node: "ws012",
	})
	i := f.Status(&cluster.Namespace{Beamline: "bl01t"}).Instances[0]
	require.Equal(t, "stopped by ada at "+now.Local().Format("2006-01-02 15:04 MST")+": vacuum work", i.Doing)
	require.Equal(t, []string{"ws011", "ws012"}, []string{i.Node, i.Moved}, "where it runs, and where it was moved to")
	require.Equal(t, "sha256:"+strings.Repeat("7", 64), i.Digest)
	require.Equal(t, []string{"ioc-simstage 1.0.0", "2026.11.1"}, []string{i.IOC, i.Version})
	require.Empty(t, i.Drift)
	require.Equal(t, Stopped, i.Level(now))

	f.States["a"] = pods.State{Pod: "a-1", Doing: "stopping the former IOC"}
	i = f.Status(&cluster.Namespace{Beamline: "bl01t"}).Instances[0]
	require.Equal(t, "stopping the former IOC", i.Doing)
	require.Equal(t, "ada", i.Stopped.By)
}

// Only objects that are meant to be there are compared with what is there.
func TestDeployed(t *testing.T) {
	for status, deployed := range map[string]bool{
		"deployed": true, "failed": false, "pending-upgrade": false, "uninstalled": false,
	} {
		f := Facts{History: helm.History{"a": {revision(1, status, "1")}}}
		require.Equal(t, deployed, f.Deployed("a"), status)
		require.False(t, f.Deployed("b"), "it was never there")
	}
}

// aBeamline is a beamline in memory whose release, of IOC a, stands in the ledger
// though Helm never had it.
func aBeamline(t *testing.T) (*cluster.Namespace, *fake.Clientset, *metadatafake.FakeMetadataClient) {
	t.Helper()
	scheme := metadatafake.NewTestScheme()
	require.NoError(t, metav1.AddMetaToScheme(scheme))
	metadata := metadatafake.NewSimpleMetadataClient(scheme)
	client := fake.NewClientset(
		&appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "a", Namespace: "bl01t"}, Spec: appsv1.DeploymentSpec{
			Selector: &metav1.LabelSelector{},
		}},
		&corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "by-hand", Namespace: "bl01t"}},
	)
	n := &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: client, Metadata: metadata}
	l := &ledger.Ledger{Releases: []ledger.Release{ran("1.0", "1")}}
	require.NoError(t, l.Save(t.Context(), n))
	return n, client, metadata
}

func TestReadGathersLedgerHelmAndPods(t *testing.T) {
	n, _, _ := aBeamline(t)
	st, err := Read(t.Context(), n)
	require.NoError(t, err)
	require.Equal(t, "1.0", st.Version)
	require.Equal(t, []string{"by-hand"}, st.Strays)
	require.Len(t, st.Instances, 1)
	require.Equal(t, []string{"it is not in the cluster"}, st.Instances[0].Drift)
}

// The lock says whether somebody goes on with a change, where it may be read.
func TestReadTellsWhoChangesTheBeamline(t *testing.T) {
	n, client, _ := aBeamline(t)
	l, err := ledger.Read(t.Context(), n)
	require.NoError(t, err)
	l.Underway = &ledger.Underway{Version: assettest.Version("2.0")}
	require.NoError(t, l.Save(t.Context(), n))
	says := func(change string) {
		t.Helper()
		st, err := Read(t.Context(), n)
		require.NoError(t, err)
		require.Equal(t, change, st.Change())
	}
	says("a change to 2.0 was killed")
	who, now := "ada on ws011", metav1.NewMicroTime(time.Now())
	lease := &coordinationv1.Lease{
		ObjectMeta: metav1.ObjectMeta{Name: ledger.Name, Namespace: n.Name},
		Spec:       coordinationv1.LeaseSpec{HolderIdentity: &who, RenewTime: &now},
	}
	leases := client.CoordinationV1().Leases(n.Name)
	_, err = leases.Create(t.Context(), lease, metav1.CreateOptions{})
	require.NoError(t, err)
	says("a change to 2.0 is under way, by ada on ws011")
	old := metav1.NewMicroTime(time.Now().Add(-time.Minute))
	lease.Spec.RenewTime = &old
	_, err = leases.Update(t.Context(), lease, metav1.UpdateOptions{})
	require.NoError(t, err)
	says("a change to 2.0 was killed")
	client.PrependReactor("get", "leases", func(ktest.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(coordinationv1.Resource("leases"), ledger.Name, errors.New("no"))
	})
	says("a change to 2.0 is under way, or was killed")
}

// A beamline of which one thing cannot be read is a row that says which, and
// stands above all others.
func TestABeamlineThatCannotBeReadIsARow(t *testing.T) {
	refuse := func(ktest.Action) (bool, runtime.Object, error) { return true, nil, errors.New("too slow") }
	for says, spoil := range map[string]func(*fake.Clientset, *metadatafake.FakeMetadataClient){
		"reading what runs in namespace bl01t: too slow": func(c *fake.Clientset, _ *metadatafake.FakeMetadataClient) {
			c.PrependReactor("get", "configmaps", refuse)
		},
		"listing the Helm releases of namespace bl01t: too slow": func(
			_ *fake.Clientset, m *metadatafake.FakeMetadataClient,
		) {
			m.PrependReactor("list", "secrets", refuse)
		},
		"listing the pods of namespace bl01t: too slow": func(c *fake.Clientset, _ *metadatafake.FakeMetadataClient) {
			c.PrependReactor("list", "pods", refuse)
		},
		"listing what runs in namespace bl01t: too slow": func(c *fake.Clientset, _ *metadatafake.FakeMetadataClient) {
			c.PrependReactor("list", "deployments", refuse)
		},
	} {
		n, client, metadata := aBeamline(t)
		spoil(client, metadata)
		row := rowOf(t.Context(), ledger.Reached{Context: "site", Namespace: n}, now, time.Minute)
		require.Equal(t, []string{"site", "bl01t"}, []string{row.Context, row.Beamline})
		require.Equal(t, Unread, row.Level)
		require.Nil(t, row.Status)
		require.Contains(t, row.Why(now), says)
	}
}

func TestARowHasTheLevelOfItsWorstIOC(t *testing.T) {
	n, _, _ := aBeamline(t)
	row := rowOf(t.Context(), ledger.Reached{Context: "site", Namespace: n}, now.Add(time.Minute), time.Minute)
	require.Empty(t, row.Failed)
	require.Equal(t, Failing, row.Level)
	require.Equal(t, "a: not in the cluster", row.Why(now))
}
