package promote_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/yaml"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/promote"
	"github.com/tagline-ci/tagline/pipelines/status"
)

// documentedRole is the Role that docs/promotion.md says is enough.
func documentedRole(t *testing.T) *rbacv1.Role {
	t.Helper()
	page, err := os.ReadFile("../../docs/promotion.md")
	require.NoError(t, err)
	_, after, found := strings.Cut(string(page), "```yaml\n")
	require.True(t, found, "docs/promotion.md has no Role")
	text, _, _ := strings.Cut(after, "```")
	role := &rbacv1.Role{}
	require.NoError(t, yaml.UnmarshalStrict([]byte(text), role))
	return role
}

// as gives access to the cluster under another user's name.
func (w *world) as(user string) cluster.Access {
	w.t.Helper()
	config, err := clientcmd.LoadFromFile(w.access().Kubeconfig)
	require.NoError(w.t, err)
	for _, who := range config.AuthInfos {
		who.Impersonate = user
	}
	file := filepath.Join(w.t.TempDir(), "kubeconfig")
	require.NoError(w.t, clientcmd.WriteToFile(*config, file))
	return cluster.Access{Kubeconfig: file}
}

func TestTheDocumentedRoleIsEnough(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	role := documentedRole(t)
	_, err := w.client.CoreV1().
		Namespaces().
		Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}, metav1.CreateOptions{})
	require.NoError(t, err)
	_, err = w.client.RbacV1().Roles(w.namespace).Create(t.Context(), role, metav1.CreateOptions{})
	require.NoError(t, err)
	user := "tagline-of-" + w.namespace
	_, err = w.client.RbacV1().RoleBindings(w.namespace).Create(t.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "tagline"},
		Subjects:   []rbacv1.Subject{{Kind: "User", APIGroup: rbacv1.GroupName, Name: user}},
		RoleRef:    rbacv1.RoleRef{Kind: "Role", APIGroup: rbacv1.GroupName, Name: role.Name},
	}, metav1.CreateOptions{})
	require.NoError(t, err)

	access := w.as(user)
	w.cluster, err = cluster.Open(access, w.line, w.namespace)
	require.NoError(t, err)
	w.promote(w.release("2026.1.1", map[string]string{"a": answers, "b": answers}))
	w.promote(w.release("2026.1.2", map[string]string{"a": answers}))
	require.Equal(t, map[string]string{"a": promote.Unchanged, "b": promote.Started}, w.rollback(""))
	w.status("2026.1.1")
	found, err := ledger.Find(t.Context(), access, w.line)
	require.NoError(t, err)
	require.Equal(t, w.line, found, "who may not look everywhere names the namespace")

	_, err = status.Read(t.Context(), mustOpen(t, w.as("nobody"), w.namespace))
	require.Equal(t, diag.Broken, diag.KindOf(err))
	require.ErrorContains(t, err, "forbidden")
}

func mustOpen(t *testing.T, access cluster.Access, namespace string) *cluster.Namespace {
	t.Helper()
	n, err := cluster.Open(access, "bl"+namespace, namespace)
	require.NoError(t, err)
	return n
}
