package chart

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// TestRenderIsWhatHelmSends: resource definitions first, hooks too, no notes, and no
// documents that hold nothing.
func TestRenderIsWhatHelmSends(t *testing.T) {
	tgz, err := archive("x", map[string][]byte{
		"Chart.yaml":              []byte("apiVersion: v2\nname: x\nversion: 1.0.0\n"),
		"values.schema.json":      []byte("{}"),
		"crds/z.yaml":             []byte("kind: CustomResourceDefinition\n"),
		"templates/a.yaml":        []byte("---\n# nothing\n---\nkind: A\nof: {{ .Release.Namespace }}\n---\nkind: B\n"),
		"templates/NOTES.txt":     []byte("It is there.\n"),
		"templates/_part.tpl":     []byte("{{ define \"x\" }}{{ end }}\n"),
		"templates/tests/ok.yaml": []byte("kind: C\nmetadata: {annotations: {helm.sh/hook: test}}\n"),
	})
	require.NoError(t, err)
	text, err := Render(tgz, "p45")
	require.NoError(t, err)
	require.Equal(t, "---\nkind: CustomResourceDefinition\n---\nkind: A\nof: p45\n---\nkind: B\n---\nkind: C\n"+
		"metadata: {annotations: {helm.sh/hook: test}}\n", text)
	name, err := Name(tgz)
	require.NoError(t, err)
	require.Equal(t, "x", name)
	_, err = Name([]byte("no chart"))
	require.ErrorContains(t, err, "reading chart")
}
