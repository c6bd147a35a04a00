package recipefile_test

import (
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/recipefile"
)

// large returns a site of n generic IOCs, each with a module of its own, over
// the good one.
func large(t testing.TB, n int) fstest.MapFS {
	tree := site(t)
	for i := range n {
		folder := fmt.Sprintf("generic-iocs/ioc-%d", i)
		tree[fmt.Sprintf("generic-iocs/support/m%d.yaml", i)] = &fstest.MapFile{Data: fmt.Appendf(
			nil, "git: https://github.com/site/m%d\nmacro: M%d\nneeds: [motor, asyn]\ndbds: [m%d.dbd]\nlibs: [m%d]\n",
			i, i, i, i,
		)}
		tree[folder+"/image.yaml"] = &fstest.MapFile{Data: fmt.Appendf(
			nil,
			"from: epics-modules 4.45r1.0\nmodules: {m%d: R1-0}\nioc: {modules: [m%d]}\nsmoke:\n"+
				"  config: smoke\n  checks:\n    - {pv: SIM:M1.RBV, min: -1, max: 1}\n",
			i, i,
		)}
		tree[folder+"/smoke/st.cmd"] = &fstest.MapFile{Data: []byte("iocInit\n")}
	}
	return tree
}

func TestLarge(t *testing.T) {
	tree, err := recipefile.Read(large(t, 200))
	require.NoError(t, err)
	require.Len(t, tree.Images, 204)
	require.Len(t, tree.Dependents("epics-base"), 203)
}

func BenchmarkRead(b *testing.B) {
	for _, n := range []int{50, 200, 800} {
		tree := large(b, n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				_, err := recipefile.Read(tree)
				require.NoError(b, err)
			}
		})
	}
}
