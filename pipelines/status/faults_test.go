package status

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/cluster/clustertest"
	"github.com/tagline-ci/tagline/pipelines/ledger"
)

// faulty is a cluster that Tagline's own client reaches over HTTP, with beamlines whose
// release, of IOC a, stands in the ledger though Helm never had it.
func faulty(t *testing.T, beamlines ...string) (*clustertest.Server, cluster.Access) {
	t.Helper()
	var objects []runtime.Object
	for _, name := range beamlines {
		objects = append(objects, clustertest.IOC(name))
	}
	s := clustertest.New(t, objects...)
	for _, name := range beamlines {
		l := &ledger.Ledger{Releases: []ledger.Release{ran("1.0", "1")}}
		require.NoError(t, l.Save(t.Context(), s.Namespace(t, name)))
	}
	return s, s.Access(t)
}

// What the cluster does not tell of one beamline hides no other: it is a row, the first,
// with what could not be read and why.
func TestAFaultOfOneNamespaceHidesNoOther(t *testing.T) {
	s, access := faulty(t, "bl01t", "bl02t", "bl03t")
	for fault, says := range map[clustertest.Fault]string{
		clustertest.Broken:    "listing the pods of namespace bl02t: Internal error occurred: etcdserver: ",
		clustertest.Hanging:   "no answer within 1s: listing the pods of namespace bl02t: ",
		clustertest.Forbidden: "listing the pods of namespace bl02t: pods is forbidden: not yours; see that ",
	} {
		s.Fail("bl02t", "pods", fault)
		rows, err := overview(t.Context(), access, now, time.Second)
		require.NoError(t, err)
		require.Len(t, rows, 3)
		require.Equal(t, []Level{Unread, Drifted, Drifted}, []Level{rows[0].Level, rows[1].Level, rows[2].Level})
		require.Equal(t, "bl02t", rows[0].Beamline)
		require.Nil(t, rows[0].Status)
		require.Contains(t, rows[0].Why(now), says)
		require.NotContains(t, rows[0].Why(now), "\n", "it is a line of a table")
		for _, row := range rows[1:] {
			require.Len(t, row.Status.Instances, 1)
			require.Equal(t, now, row.Read)
		}
	}
	s.Fail("bl02t", "pods", "")
	rows, err := overview(t.Context(), access, now, time.Minute)
	require.NoError(t, err)
	require.Empty(t, rows[0].Failed)
}

// Who looks again and again keeps what was seen before, with its age: of one beamline that
// can't be read, and of all of a cluster that went away.
func TestAnOverviewIsRecalled(t *testing.T) {
	s, access := faulty(t, "bl01t", "bl02t")
	earlier, err := overview(t.Context(), access, now, time.Minute)
	require.NoError(t, err)
	s.Fail("bl02t", "pods", clustertest.Broken)
	later := now.Add(40 * time.Second)
	for range 2 {
		rows, err := overview(t.Context(), access, later, time.Minute)
		require.NoError(t, err)
		earlier = Recall(rows, earlier, later)
		require.Len(t, earlier, 2)
		require.Equal(t, "bl02t", earlier[0].Beamline)
		require.Equal(t, Unread, earlier[0].Level)
		require.Equal(t, "1.0", earlier[0].Status.Version)
		require.Regexp(t, "^it was so 40s ago; listing the pods of namespace bl02t: ", earlier[0].Why(later))
		require.Empty(t, earlier[1].Failed)
		require.Equal(t, later, earlier[1].Read)
	}

	s.Fail("", "configmaps", clustertest.Broken)
	rows, err := overview(t.Context(), access, later, time.Minute)
	require.NoError(t, err)
	require.Len(t, rows, 1, "the cluster, alone")
	again := Recall(rows, earlier, later)
	require.Len(t, again, 3)
	require.Empty(t, again[0].Beamline)
	for i, name := range []string{"bl01t", "bl02t"} {
		require.Equal(t, name, again[i+1].Beamline)
		require.Equal(t, Unread, again[i+1].Level)
		require.Contains(t, again[i+1].Why(later), "looking for beamlines: ")
	}

	s.Fail("", "configmaps", "")
	s.Fail("bl02t", "pods", "")
	gone := s.Namespace(t, "bl01t")
	require.NoError(t, gone.Client.CoreV1().ConfigMaps("bl01t").
		Delete(t.Context(), ledger.Name, metav1.DeleteOptions{}))
	rows, err = overview(t.Context(), access, later, time.Minute)
	require.NoError(t, err)
	require.Len(t, Recall(rows, again, later), 1, "one that was removed is not kept")
}
