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
			_, err := m.Part(fmt.Sprintf("1/%d", need-1))
			require.Equal(t, diag.Invalid, diag.KindOf(err))
			require.ErrorContains(t, err, fmt.Sprintf("--part 1/%d to %d/%d", need, need, need))
		}
		for _, of := range []int{need, need + 1, 7} {
			together := Matrix{[]Job{}}
			for n := 1; n <= of; n++ {
				part, err := m.Part(fmt.Sprintf("%d/%d", n, of))
				require.NoError(t, err)
				require.NotNil(t, part.Include, "null is no matrix")
				together.Include = append(together.Include, part.Include...)
			}
			require.Equal(t, m, together)
		}
	}
	for which, says := range map[string]string{
		"0/1": "there is no part 0 of 1", "2/1": "there is no part 2 of 1", "-1/3": "there is no part -1 of 3",
		"1/0": "there is no part 1 of 0", "": "not two numbers", "2": "not two numbers", "2/3/4": "not two numbers",
		"1/2x": "not two numbers", "x/2": "not two numbers",
		"all": "not two numbers; write which part of how many, as in 2/3",
	} {
		_, err := Matrix{}.Part(which)
		require.Equal(t, diag.Invalid, diag.KindOf(err), which)
		require.ErrorContains(t, err, says, which)
	}
}
