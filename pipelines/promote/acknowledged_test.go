package promote

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime"
	k8stesting "k8s.io/client-go/testing"

	"github.com/tagline-ci/tagline/pipelines/ledger"
)

// A release without an IOC leaves no acknowledgement of it behind. Where that cannot be
// written, the release runs all the same.
func TestARemovedIOCIsForgotten(t *testing.T) {
	for name, c := range map[string]struct {
		refused bool
		left    []string
	}{
		"forgotten": {false, []string{"a"}}, "refused": {true, []string{"a", "gone"}},
	} {
		s := newScene(t)
		s.m.held = t.Context()
		s.m.settle = func() { s.m.ledger.Push(s.m.to) }
		require.NoError(t, s.m.ledger.Save(t.Context(), s.m.Cluster))
		require.NoError(t, ledger.Acknowledge(
			t.Context(), s.m.Cluster, func(all map[string]ledger.Acknowledgement) {
				all["a"] = ledger.Acknowledgement{Until: time.Now().Add(time.Hour)}
				all["gone"] = all["a"]
			}))
		s.client.PrependReactor("update", "configmaps", func(a k8stesting.Action) (bool, runtime.Object, error) {
			object, ok := a.(k8stesting.UpdateAction).GetObject().(interface{ GetName() string })
			return c.refused && ok && object.GetName() == ledger.AcknowledgedName, nil, errors.New("too slow")
		})
		_, err := s.m.finish(&change{former: map[string]int{}}, nil)
		require.NoError(t, err, name)
		all, err := ledger.Acknowledged(t.Context(), s.m.Cluster)
		require.NoError(t, err)
		require.Equal(t, c.left, slices.Sorted(maps.Keys(all)), name)
	}
}
