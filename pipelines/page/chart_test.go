package page

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/tagline-ci/tagline/pipelines/ledger"
)

// render returns the objects of deploy/tagline-page, each read strictly.
func render(t *testing.T, values map[string]any) ([]runtime.Object, error) {
	t.Helper()
	c, err := loader.LoadDir("../../deploy/tagline-page")
	require.NoError(t, err)
	all, err := chartutil.ToRenderValues(c, values, chartutil.ReleaseOptions{Name: "page", Namespace: "tagline"}, nil)
	require.NoError(t, err)
	files, err := engine.Render(c, all)
	if err != nil {
		return nil, err
	}
	strict := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	var objects []runtime.Object
	for _, document := range strings.Split(files["tagline-page/templates/page.yaml"], "\n---\n") {
		object, _, err := strict.Decode([]byte(document), nil, nil)
		require.NoError(t, err, document)
		objects = append(objects, object)
	}
	return objects, nil
}

func pick[T any](objects []runtime.Object) (found []T) {
	for _, o := range objects {
		if object, ok := o.(T); ok {
			found = append(found, object)
		}
	}
	return found
}

func TestTheChart(t *testing.T) {
	image := "ghcr.io/tagline-ci/tagline@" + string(digest("1"))
	objects, err := render(t, map[string]any{
		"image": image, "cluster": "bl", "beamlines": []any{"bl01t", "bl02t"},
		"links": []any{"screens=https://x/{ioc}?a=\"b\""}, "registry": "ghcr.io/site",
	})
	require.NoError(t, err)

	var in []string
	for _, b := range pick[*rbacv1.RoleBinding](objects) {
		require.Equal(t, "tagline-looking", b.RoleRef.Name)
		require.Equal(
			t, []rbacv1.Subject{{Kind: "ServiceAccount", Name: "tagline-page", Namespace: "tagline"}}, b.Subjects,
		)
		in = append(in, b.Namespace)
	}
	require.Equal(t, []string{"bl01t", "bl02t"}, in)
	everywhere := pick[*rbacv1.ClusterRole](objects)
	require.Len(t, everywhere, 1)
	require.Equal(t, []rbacv1.PolicyRule{{
		APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{ledger.Name},
		Verbs: []string{"list"},
	}, {
		APIGroups: []string{""}, Resources: []string{"nodes"}, Verbs: []string{"get"},
	}}, everywhere[0].Rules, "in the whole cluster it finds beamlines and sees nodes, and reads nothing else")

	pod := pick[*appsv1.Deployment](objects)[0].Spec.Template.Spec
	require.Equal(t, image, pod.Containers[0].Image)
	require.Equal(t, pick[*corev1.ServiceAccount](objects)[0].Name, pod.ServiceAccountName)
	require.True(t, *pod.SecurityContext.RunAsNonRoot)
	require.False(t, *pod.Containers[0].SecurityContext.AllowPrivilegeEscalation)
	maps := pick[*corev1.ConfigMap](objects)
	require.Equal(t, maps[0].Name, pod.Volumes[0].ConfigMap.Name)
	config, err := clientcmd.Load([]byte(maps[0].Data["kubeconfig"]))
	require.NoError(t, err)
	require.Contains(t, config.Contexts, config.CurrentContext)
	require.Contains(t, config.Clusters, config.Contexts["bl"].Cluster)
	require.NotEmpty(t, config.AuthInfos[config.Contexts["bl"].AuthInfo].TokenFile)
	require.Equal(t, "bl", config.CurrentContext)
	require.Equal(t, []string{
		"page", "--listen=0.0.0.0:8080", "--kubeconfig=" + pod.Containers[0].VolumeMounts[0].MountPath + "/kubeconfig",
		"--registry=ghcr.io/site", `--link=screens=https://x/{ioc}?a="b"`,
	}, pod.Containers[0].Args)
}

func TestTheChartRefusesATag(t *testing.T) {
	for image, want := range map[string]string{
		"": "image names the tagline image", "ghcr.io/x/tagline:1": "is not pinned by digest",
	} {
		_, err := render(t, map[string]any{"image": image})
		require.ErrorContains(t, err, want)
	}
}
