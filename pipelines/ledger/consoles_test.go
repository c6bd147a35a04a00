package ledger

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/tagline-ci/tagline/pipelines/cluster"
)

func TestConsoles(t *testing.T) {
	n := &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: fake.NewClientset()}
	enter := func(id, instance string, now time.Time) map[string]Console {
		c := Console{Instance: instance, By: id, Since: three, Until: now.Add(time.Minute)}
		others, err := EnterConsole(t.Context(), n, id, c, now)
		require.NoError(t, err)
		return others
	}
	require.Empty(t, enter("ada", "a", three))
	require.Empty(t, enter("bob", "b", three), "ada is in another IOC's")
	require.Equal(t, "ada", enter("cy", "a", three)["ada"].By)
	require.Len(t, enter("cy", "a", three.Add(time.Second)), 1, "one is not beside itself")

	require.NoError(t, LeaveConsole(t.Context(), n, "ada"))
	require.NoError(t, LeaveConsole(t.Context(), n, "ada"), "it has left")
	require.Contains(t, enter("dan", "a", three.Add(time.Minute)), "cy", "it was renewed")
	require.Empty(t, enter("dan", "a", three.Add(time.Minute+time.Second)), "cy was cut off")
	all, _, err := consoles.read(t.Context(), n)
	require.NoError(t, err)
	require.Len(t, all, 1, "what is over is not kept")
}
