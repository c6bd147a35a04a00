package helm

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestLeavesNameTheFieldsOfAPatch(t *testing.T) {
	patch := map[string]any{
		"spec": map[string]any{
			"replicas": 1.0,
			"template": map[string]any{"spec": map[string]any{
				"$setElementOrder/containers": []any{map[string]any{"name": "ioc"}},
				"containers": []any{
					map[string]any{"name": "ioc", "image": "x", "args": []any{"a", "b"}},
				},
			}},
		},
		"data":     map[string]any{"name": "st.cmd"},
		"metadata": map[string]any{"labels": nil},
	}
	require.ElementsMatch(
		t,
		[]string{
			"spec.replicas",
			"spec.template.spec.containers[ioc].image",
			"spec.template.spec.containers[ioc].args",
			"data.name",
		},
		leaves("", patch),
	)
}
