package pvs

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/record"
)

func digest(digit string) asset.Digest { return asset.Digest("sha256:" + strings.Repeat(digit, 64)) }

func many(n int) (all []PV) {
	for i := range n {
		all = append(all, PV{Name: fmt.Sprintf("BL01T-MO-STAGE-%06d:RBV", i), Instance: "bl01t-mo-ioc-01", Type: "ai"})
	}
	return all
}

func TestPVsAreReadBack(t *testing.T) {
	n := &cluster.Namespace{Name: "bl01t", Beamline: "bl01t", Client: fake.NewClientset()}
	all := many(2*mostPerPart + 1)
	require.NoError(t, Save(t.Context(), n, digest("1"), all, nil))
	require.NoError(t, Save(t.Context(), n, digest("1"), all, nil), "it may be saved again")
	lines, err := Read(t.Context(), n, digest("1"))
	require.NoError(t, err)
	require.Equal(t, len(all), strings.Count(lines, "\n"))

	require.NoError(t, Save(t.Context(), n, digest("2"), many(1), []asset.Digest{digest("1")}))
	require.NoError(t, Save(t.Context(), n, digest("3"), many(1), []asset.Digest{digest("2")}))
	lines, err = Read(t.Context(), n, digest("1"))
	require.NoError(t, err)
	require.Empty(t, lines, "nobody goes back to it")
	left, err := n.Client.CoreV1().ConfigMaps("bl01t").List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	require.Len(t, left.Items, 2)
}

func TestOfTakesWhatTheBootsSaw(t *testing.T) {
	rec := &record.Record{Checks: []record.Test{
		{Name: "boot", Of: "a", PVs: []record.PV{{Name: "A:X", Type: "ai"}}}, {
			Name: "smoke", Of: "image", PVs: []record.PV{{Name: "B:X", Type: "ai"}},
		},
	}}
	require.Equal(t, []PV{{Instance: "a", Name: "A:X", Type: "ai"}}, Of(rec))
}

func TestFind(t *testing.T) {
	lines := "A:X\ta\tai\nA:XY\ta\tao\nB:X\tb\tmotor\n"
	for pattern, names := range map[string][]string{
		"A:X": {"A:X"}, ".*:X": {"A:X", "B:X"}, "A:.*": {"A:X", "A:XY"}, "C": nil, "ai": nil, "A:X|B:X": {"A:X", "B:X"},
	} {
		found, err := Find(lines, []string{pattern})
		require.NoError(t, err)
		var got []string
		for _, pv := range found {
			got = append(got, pv.Name)
		}
		require.Equal(t, names, got, pattern)
	}
	found, err := Find(lines, []string{"A:X", "B:X"})
	require.NoError(t, err)
	require.Equal(t, []PV{{"a", "A:X", "ai"}, {"b", "B:X", "motor"}}, found)
	_, err = Find(lines, []string{"("})
	require.Error(t, err)
}

// BenchmarkFind searches a million PVs.
func BenchmarkFind(b *testing.B) {
	var lines strings.Builder
	for _, pv := range many(1_000_000) {
		fmt.Fprintf(&lines, "%s\t%s\t%s\n", pv.Name, pv.Instance, pv.Type)
	}
	text := lines.String()
	for b.Loop() {
		found, err := Find(text, []string{".*STAGE-.*77777:RBV"})
		require.NoError(b, err)
		require.Len(b, found, 10)
	}
}
