package cluster

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

func TestOpenRefusesNoKubeconfig(t *testing.T) {
	missing := t.TempDir() + "/none"
	_, err := Open(Access{Kubeconfig: missing}, "bl01t", "bl01t")
	require.ErrorContains(t, err, missing+": no such file or directory; name a kubeconfig")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	_, err = Open(Access{Kubeconfig: kubeconfig(t), Context: "other"}, "bl01t", "bl01t")
	require.ErrorContains(t, err, `context "other" does not exist`)
}

// kubeconfig names a cluster on a port that nobody listens to.
func kubeconfig(t *testing.T) string {
	file := t.TempDir() + "/kubeconfig"
	text := "apiVersion: v1\nkind: Config\ncurrent-context: x\ncontexts: [{name: x, context: {cluster: x}}]\n" +
		"clusters: [{name: x, cluster: {server: 'http://127.0.0.1:1'}}]\n"
	require.NoError(t, os.WriteFile(file, []byte(text), 0o600))
	return file
}
