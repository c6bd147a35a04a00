package helm

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/tagline-ci/tagline/pipelines/cluster/clustertest"
	"github.com/tagline-ci/tagline/pipelines/ledger"
)

var errLeft = errors.New("nobody waits any more")

// leaving is a context that ends, for a reason of its own, while a request hangs.
func leaving(t *testing.T) context.Context {
	ctx, leave := context.WithCancelCause(t.Context())
	t.Cleanup(func() { leave(nil) })
	time.AfterFunc(200*time.Millisecond, func() { leave(errLeft) })
	return ctx
}

// What only reads ends with its context, within whatever request of Helm's.
func TestReadingEndsWithItsContext(t *testing.T) {
	s := newSite(t)
	s.deployed(ioc{version: "1.0.1", size: "1Gi"})
	s.deployed(ioc{version: "1.0.2", size: "1Gi"})
	for resource, want := range map[string]error{
		"secrets": errLeft, "deployments": errLeft, "configmaps": errLeft,
		"persistentvolumeclaims": context.Canceled, // read with the manifest
	} {
		s.Fail("bl01t", resource, clustertest.Hanging)
		_, err := Drift(leaving(t), s.n, "a", ledger.Override{})
		require.ErrorIs(t, err, want, resource)
		s.Fail("bl01t", resource, "")
		drift, err := Drift(t.Context(), s.n, "a", ledger.Override{})
		require.NoError(t, err, resource)
		require.Empty(t, drift)
	}
	history, err := Stored(t.Context(), s.n)
	require.NoError(t, err)
	s.Fail("bl01t", "secrets", clustertest.Hanging)
	_, err = deployed(leaving(t), s.n, history["a"][0])
	require.ErrorIs(t, err, errLeft)
}

// mute is a way into a cluster that is never told what the cluster serves.
type mute struct {
	genericclioptions.RESTClientGetter
	told chan struct{}
}

func (m mute) ToRESTMapper() (meta.RESTMapper, error) {
	<-m.told
	return m.RESTClientGetter.ToRESTMapper()
}

// What a cluster serves is asked once for all that read. Who waits for that leaves, too.
func TestNobodyWaitsForWhatTheClusterServes(t *testing.T) {
	s := newSite(t)
	s.deployed(ioc{version: "1.0.1"})
	n := *s.n
	m := mute{n.Helm, make(chan struct{})}
	n.Helm = m
	defer close(m.told)
	_, err := Drift(leaving(t), &n, "a", ledger.Override{})
	require.ErrorIs(t, err, context.Canceled)
}
