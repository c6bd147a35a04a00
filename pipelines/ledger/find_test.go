package ledger

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	ktest "k8s.io/client-go/testing"

	"github.com/tagline-ci/tagline/pipelines/diag"
)

// ran is the ledger of a beamline in a namespace.
func ran(beamline, namespace string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Name: Name, Namespace: namespace, Labels: map[string]string{"tagline.beamline": beamline},
		},
		Data: map[string]string{key: `{"releases":[{"record":{"version":"1.0"}}]}`},
	}
}

func TestAnUnknownBeamlineNamesThoseThereAre(t *testing.T) {
	client := fake.NewClientset(ran("bl03t", "bl03t"), ran("bl02t", "here"), ran("bl02t", "there"))
	_, err := Known(t.Context(), namespace(client))
	require.ErrorContains(
		t, err, "looking for beamline bl01t: nothing was ever promoted to namespace bl01t; name one of: bl02t, bl03t",
	)
	require.Equal(t, diag.Invalid, diag.KindOf(err))
	elsewhere := namespace(client)
	elsewhere.Others = []string{"far", "wide"}
	_, err = Known(t.Context(), elsewhere)
	require.ErrorContains(t, err, "bl03t; or the context of another cluster with --context: far, wide")
	_, err = Known(t.Context(), namespace(fake.NewClientset()))
	require.ErrorContains(t, err, "this cluster has no beamline")
	client.PrependReactor("list", "configmaps", forbidden)
	_, err = Known(t.Context(), namespace(client))
	require.ErrorContains(t, err, "with --namespace")
	l, err := Known(t.Context(), namespace(fake.NewClientset(ran("bl01t", "bl01t"))))
	require.NoError(t, err)
	require.Equal(t, "1.0", l.Current().Record.Version.String())
}

func forbidden(ktest.Action) (bool, runtime.Object, error) {
	return true, nil, apierrors.NewForbidden(
		schema.GroupResource{Resource: "configmaps"}, "", errors.New("cannot list"),
	)
}

func TestABeamlineRunsInOneNamespace(t *testing.T) {
	client := fake.NewClientset(ran("bl01t", "former"), ran("bl02t", "bl02t"))
	err := Elsewhere(t.Context(), namespace(client))
	require.ErrorContains(
		t, err, "it still runs in namespace former; remove it there first: tagline remove bl01t --namespace former",
	)
	require.Equal(t, diag.Refused, diag.KindOf(err))
	require.NoError(t, Elsewhere(t.Context(), namespace(fake.NewClientset(ran("bl01t", "bl01t")))))
	client.PrependReactor("list", "configmaps", forbidden)
	require.NoError(t, Elsewhere(t.Context(), namespace(client)), "who may not look cannot be told")
}

func TestPlacesAreSorted(t *testing.T) {
	client := fake.NewClientset(ran("b", "2"), ran("a", "3"), ran("b", "1"))
	places, err := Places(t.Context(), namespace(client))
	require.NoError(t, err)
	require.Equal(t, []Place{{"a", "3"}, {"b", "1"}, {"b", "2"}}, places)
}
