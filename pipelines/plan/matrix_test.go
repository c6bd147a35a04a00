package plan

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// TestMatrixParts: the parts of a matrix are the matrix, none larger than
// GitHub takes.
func TestMatrixParts(t *testing.T) {
	for _, jobs := range []int{0, 1, 255, 256, 257, 301, 1000} {
		m := Matrix{[]Job{}}
		for i := range jobs {
			m.Include = append(m.Include, Job{Asset: asset.Name(fmt.Sprint(i))})
		}
		need := max(1, (jobs+255)/256)
		if need > 1 {
			_, err := m.Part(1, need-1)
			require.Equal(t, diag.Invalid, diag.KindOf(err))
			require.ErrorContains(t, err, fmt.Sprintf("--part 1/%d to %d/%d", need, need, need))
		}
		for _, of := range []int{need, need + 1, 7} {
			together := Matrix{[]Job{}}
			for n := 1; n <= of; n++ {
				part, err := m.Part(n, of)
				require.NoError(t, err)
				require.NotNil(t, part.Include, "null is no matrix")
				together.Include = append(together.Include, part.Include...)
			}
			require.Equal(t, m, together)
		}
	}
	for _, c := range [][2]int{{0, 1}, {2, 1}, {-1, 3}, {1, 0}} {
		_, err := Matrix{}.Part(c[0], c[1])
		require.Equal(t, diag.Invalid, diag.KindOf(err))
	}
}
