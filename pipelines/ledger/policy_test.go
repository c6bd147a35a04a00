package ledger

import (
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	k8stesting "k8s.io/client-go/testing"

	"github.com/tagline-ci/tagline/pipelines/cluster"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

func TestPolicyIsOfItsBeamline(t *testing.T) {
	client := fake.NewClientset()
	n := namespace(client)
	_, _, err := Policy(t.Context(), n)
	require.ErrorIs(t, err, ErrNoPolicy)
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.ErrorContains(t, err, "tagline policy init bl01t")

	require.NoError(t, SavePolicy(t.Context(), n, "one"))
	text, _, err := Policy(t.Context(), n)
	require.NoError(t, err)
	require.Equal(t, "one", text)
	require.NoError(t, SavePolicy(t.Context(), n, "two"))
	text, _, err = Policy(t.Context(), n)
	require.NoError(t, err)
	require.Equal(t, "two", text)

	_, _, err = Policy(t.Context(), &cluster.Namespace{Name: n.Name, Beamline: "bl02t", Client: client})
	require.ErrorContains(t, err, `is of beamline "bl01t"`)
	require.Equal(t, diag.Refused, diag.KindOf(err))
}

// A first policy is written once; a beamline that has one keeps it, and is told which.
func TestAFirstPolicyIsWrittenWhereThereIsNone(t *testing.T) {
	client := fake.NewClientset()
	n := namespace(client)
	now, there, err := FirstPolicy(t.Context(), n, "one")
	require.NoError(t, err)
	require.False(t, there)
	require.Equal(t, "one", now)
	now, there, err = FirstPolicy(t.Context(), n, "two")
	require.NoError(t, err)
	require.True(t, there)
	require.Equal(t, "one", now)
	_, _, err = FirstPolicy(t.Context(), &cluster.Namespace{Name: n.Name, Beamline: "bl02t", Client: client}, "two")
	require.ErrorContains(t, err, `is of beamline "bl01t"`)
}

// versions gives each ConfigMap that is written a version of its own, as an API server does.
func versions(client *fake.Clientset) {
	last := 0
	client.PrependReactor("*", "configmaps", func(a k8stesting.Action) (bool, runtime.Object, error) {
		if write, ok := a.(k8stesting.UpdateAction); ok { // a creation is one too
			last++
			write.GetObject().(*corev1.ConfigMap).ResourceVersion = strconv.Itoa(last)
		}
		return false, nil, nil
	})
}

// A policy that was changed and changed back is not the one that was applied before, by
// whatever way it was written; one that is applied unchanged is.
func TestAPolicyIsNamedAsItWasApplied(t *testing.T) {
	client := fake.NewClientset()
	versions(client)
	n := namespace(client)
	maps := client.CoreV1().ConfigMaps(n.Name)
	seen := map[string]bool{}
	as := func() string {
		_, applied, err := Policy(t.Context(), n)
		require.NoError(t, err)
		return applied
	}
	changed := func(how string) {
		require.False(t, seen[as()], how)
		seen[as()] = true
	}
	require.NoError(t, SavePolicy(t.Context(), n, "one"))
	changed("the first")
	for range 2 {
		require.NoError(t, SavePolicy(t.Context(), n, "one"))
		require.True(t, seen[as()], "applied unchanged")
	}
	require.NoError(t, SavePolicy(t.Context(), n, "two"))
	changed("another")
	require.NoError(t, SavePolicy(t.Context(), n, "one"))
	changed("back")

	cm, err := maps.Get(t.Context(), PolicyName, metav1.GetOptions{})
	require.NoError(t, err)
	kept := cm.DeepCopy()
	for _, text := range []string{"two", "one"} { // by kubectl
		cm.Data[policyKey] = text
		_, err = maps.Update(t.Context(), cm, metav1.UpdateOptions{})
		require.NoError(t, err)
		changed("by kubectl")
	}
	require.NoError(t, maps.Delete(t.Context(), PolicyName, metav1.DeleteOptions{}))
	_, err = maps.Create(t.Context(), kept, metav1.CreateOptions{})
	require.NoError(t, err)
	changed("from a copy")
}
