package page

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/asset/assettest"
	"github.com/tagline-ci/tagline/pipelines/cluster/clustertest"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/record"
)

// faulty is a cluster that Tagline's own client reaches over HTTP, with beamlines that have
// an IOC each, and who looks for them.
func faulty(t *testing.T, beamlines ...string) (*clustertest.Server, Reach) {
	t.Helper()
	var objects []runtime.Object
	for _, name := range beamlines {
		objects = append(objects, clustertest.IOC(name))
	}
	s := clustertest.New(t, objects...)
	for _, name := range beamlines {
		l := &ledger.Ledger{}
		l.Push(ledger.Release{Digest: digest("a"), Since: started, Record: record.Record{
			Asset: asset.Name(name), Version: assettest.Version("2026.11.2"), Instances: []record.Instance{{Name: "a"}},
		}})
		require.NoError(t, l.Save(t.Context(), s.Namespace(t, name)))
	}
	access := s.Access(t)
	return s, func(ctx context.Context) ([]ledger.Reached, error) { return ledger.Reach(ctx, access) }
}

// What the cluster does not tell of one beamline is said in its row, beside what was known
// of it and when, if ever it was. The other beamline goes on being shown as it is.
func TestAFaultOfOneNamespaceHidesNoOther(t *testing.T) {
	faults := map[clustertest.Fault]string{
		clustertest.Broken: "reading pods: Internal error occurred: etcdserver: request timed out",
		clustertest.Forbidden: "reading pods: pods is forbidden: not yours; " +
			"bind the role tagline-looking of namespace bl02t to the user that serves the page",
	}
	if !testing.Short() { // it waits
		faults[clustertest.Hanging] = "reading pods: " + errNoAnswer.Error()
	}
	for fault, says := range faults {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			s, reach := faulty(t, "bl01t", "bl02t")
			s.Fail("bl02t", "pods", fault)
			address, board := serveReached(t, reach)
			failed := func(v *View) bool {
				return len(v.Beamlines) == 2 && v.Beamlines[0].Failed == says && v.Beamlines[1].Failed == ""
			}
			v := until(t, board, "", "it was never read", failed)
			require.Equal(t, "bl02t", v.Beamlines[0].Beamline)
			require.Nil(t, v.Beamlines[0].Status)
			require.Zero(t, v.Beamlines[0].Read)
			require.Len(t, v.Beamlines[1].Instances, 1)

			s.Fail("bl02t", "pods", "")
			until(t, board, "", "both are read", settled(2))
			s.Fail("bl02t", "pods", fault)
			v = until(t, board, "", "it can't be read any more", failed)
			require.Len(t, v.Beamlines[0].Instances, 1, "what was known stays")
			require.NotZero(t, v.Beamlines[0].Read)
			_, _, body := get(t, address)
			require.Contains(t, body, "It could not be read: ")
			require.Contains(t, body, "What is shown was so ")

			before := v.Beamlines[1].Instances[0].Pod
			pods := s.Namespace(t, "bl01t").Client.CoreV1().Pods("bl01t")
			require.NoError(t, pods.Delete(t.Context(), before, metav1.DeleteOptions{}))
			until(t, board, "", "the other is live", func(v *View) bool {
				return failed(v) && v.Beamlines[1].Instances[0].Pod != before
			})
		})
	}
}

// A cluster that takes a request and never answers is told; a watch that began lasts for as
// long as it likes, and who leaves is told nothing.
func TestAClusterThatNeverAnswers(t *testing.T) {
	list := func(ctx context.Context, _ metav1.ListOptions) (*corev1.PodList, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	begin := func(ctx context.Context, _ metav1.ListOptions) (watch.Interface, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	synctest.Test(t, func(t *testing.T) {
		_, err := listing(t.Context(), list, metav1.ListOptions{})
		require.Equal(t, errNoAnswer, err)
		_, err = watching(t.Context(), begin, metav1.ListOptions{})
		require.Equal(t, errNoAnswer, err)

		left, leave := context.WithCancel(t.Context())
		leave()
		_, err = listing(left, list, metav1.ListOptions{})
		require.ErrorIs(t, err, context.Canceled)
		_, err = watching(left, begin, metav1.ListOptions{})
		require.ErrorIs(t, err, context.Canceled)

		var open context.Context
		stream, err := watching(t.Context(), func(ctx context.Context, _ metav1.ListOptions) (watch.Interface, error) {
			open = ctx
			return watch.NewFake(), nil
		}, metav1.ListOptions{})
		require.NoError(t, err)
		time.Sleep(10 * listWithin)
		require.NoError(t, open.Err())
		stream.Stop()
		require.Error(t, open.Err(), "nothing of it stays")
	})
}
