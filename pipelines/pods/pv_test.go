package pods

import (
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
)

func TestParseSeverities(t *testing.T) {
	found, err := parseSeverities("A:X.STAT NO_ALARM\nA:Y INVALID\n")
	require.NoError(t, err)
	require.Equal(t, map[string]string{"A:X.STAT": "NO_ALARM", "A:Y": "INVALID"}, found)
	found, err = parseSeverities("")
	require.NoError(t, err)
	require.Empty(t, found, "nothing is served")
	for _, out := range []string{"A:X\n", "A:X 3\n", "A:X NO_ALARM 5\n"} {
		_, err := parseSeverities(out)
		require.ErrorContains(t, err, "which is no alarm severity", out)
	}
}

func TestWorse(t *testing.T) {
	order := []string{"NO_ALARM", "MINOR", "MAJOR", "INVALID"}
	for i, a := range order {
		for j, b := range order {
			require.Equal(t, i > j, Worse(a, b), "%s and %s", a, b)
		}
	}
}

// Restarts of containers beside the IOC are counted apart.
func TestRestartsBeside(t *testing.T) {
	p := pod("a", running(true))
	p.Status.ContainerStatuses[0].RestartCount = 1
	p.Status.ContainerStatuses = append(
		p.Status.ContainerStatuses, corev1.ContainerStatus{Name: "x", RestartCount: 2},
		corev1.ContainerStatus{Name: "y", RestartCount: 3},
	)
	states, _ := Describe([]appsv1.Deployment{*deployment()}, []corev1.Pod{p}, Away{})
	s := states["bl01t-mo-ioc-01"]
	require.Equal(t, []int{1, 5}, []int{s.Restarts, s.Beside})
}
