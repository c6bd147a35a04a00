package promote_test

import (
	"cmp"
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/events"
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

// grant makes the namespaces of a beamline and of its events' keys, and binds each role
// to a user, by the role's name.
func (w *world) grant() (users map[string]string) {
	w.t.Helper()
	keys := events.KeysOf(w.namespace)
	for _, name := range []string{w.namespace, keys} {
		_, err := w.client.CoreV1().Namespaces().Create(
			w.t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{},
		)
		require.NoError(w.t, err)
	}
	w.t.Cleanup(func() {
		_ = w.client.CoreV1().Namespaces().Delete(context.Background(), keys, metav1.DeleteOptions{})
	})
	all, bindings := render(w.t, w.namespace, given())
	for _, role := range all {
		there := w.client.RbacV1().Roles(cmp.Or(role.Namespace, w.namespace))
		_, err := there.Create(w.t.Context(), role, metav1.CreateOptions{})
		require.NoError(w.t, err)
	}
	users = map[string]string{}
	for _, b := range bindings {
		for i, who := range b.Subjects {
			users[who.Name] = who.Name + "-in-" + w.namespace
			b.Subjects[i].Name = users[who.Name]
		}
		there := w.client.RbacV1().RoleBindings(cmp.Or(b.Namespace, w.namespace))
		_, err := there.Create(w.t.Context(), &b, metav1.CreateOptions{})
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

// Who looks reads neither the keys of events nor what else is where they are.
func TestWhoLooksReadsNoKeyOfEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	users := w.grant()
	w.logbook()
	for user, may := range map[string]bool{
		"looking": false, "operating": true, "promoting": true, "administering": true,
	} {
		secrets := w.open(w.as(users[user])).Client.CoreV1().Secrets(events.KeysOf(w.namespace))
		_, err := secrets.Get(t.Context(), events.SecretName, metav1.GetOptions{})
		require.Equal(t, !may, apierrors.IsForbidden(err), "%s: %v", user, err)
		_, err = secrets.List(t.Context(), metav1.ListOptions{})
		require.True(t, apierrors.IsForbidden(err), "%s: %v", user, err)
	}
}
