package promote_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/ledger"
	"github.com/tagline-ci/tagline/pipelines/operate"
	"github.com/tagline-ci/tagline/pipelines/promote"
	"github.com/tagline-ci/tagline/pipelines/status"
)

// as returns access to the cluster under another user's name.
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

// grant makes the namespace and binds each role to a user, by the role's name.
func (w *world) grant() (users map[string]string) {
	w.t.Helper()
	_, err := w.client.CoreV1().Namespaces().Create(
		w.t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: w.namespace}}, metav1.CreateOptions{},
	)
	require.NoError(w.t, err)
	users = map[string]string{}
	all, _ := roles(w.t)
	for name, role := range all {
		_, err = w.client.RbacV1().Roles(w.namespace).Create(w.t.Context(), role, metav1.CreateOptions{})
		require.NoError(w.t, err)
		users[name] = name + "-in-" + w.namespace
		_, err = w.client.RbacV1().RoleBindings(w.namespace).Create(w.t.Context(), &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: role.Name},
			Subjects:   []rbacv1.Subject{{Kind: "User", APIGroup: rbacv1.GroupName, Name: users[name]}},
			RoleRef:    rbacv1.RoleRef{Kind: "Role", APIGroup: rbacv1.GroupName, Name: role.Name},
		}, metav1.CreateOptions{})
		require.NoError(w.t, err)
	}
	return users
}

func (w *world) open(access cluster.Access) *cluster.Namespace {
	w.t.Helper()
	n, err := cluster.Open(access, w.line, w.namespace)
	require.NoError(w.t, err)
	return n
}

// Each role is enough for what it is for, and no more.
func TestTheRolesAreEnough(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	users := w.grant()
	w.cluster = w.open(w.as(users["promoting"]))
	w.promote(w.release("2026.1.1", map[string]string{"a": answers, "b": answers}))
	w.promote(w.release("2026.1.2", map[string]string{"a": answers}))
	require.Equal(t, map[string]string{"a": promote.Unchanged, "b": promote.Started}, w.rollback(""))
	w.status("2026.1.1")
	found, err := ledger.Find(t.Context(), w.as(users["promoting"]), w.line)
	require.NoError(t, err)
	require.Equal(t, w.line, found, "who may not look everywhere names the namespace")

	operator := w.open(w.as(users["operating"]))
	o := operate.Order{
		Cluster: operator, Instances: []string{"a"}, Reason: "a test", Holder: "operator", Timeout: time.Minute,
	}
	require.NoError(t, operate.Restart(t.Context(), o))
	require.ErrorContains(t, operate.Move(t.Context(), o, "", false), "forbidden", "who operates writes no revisions")

	viewer := w.open(w.as(users["looking"]))
	_, err = status.Read(t.Context(), viewer)
	require.NoError(t, err)
	o.Cluster = viewer
	require.ErrorContains(t, operate.Restart(t.Context(), o), "forbidden")
	w.scaleToNothing("a")
	require.ErrorContains(t, operate.Acknowledge(t.Context(), o, time.Hour), "forbidden")
	o.Cluster = operator
	require.NoError(t, operate.Acknowledge(t.Context(), o, time.Hour))
	_, err = status.Read(t.Context(), w.open(w.as("nobody")))
	require.Equal(t, diag.Broken, diag.KindOf(err))
	require.ErrorContains(t, err, "forbidden")
}
