package chart

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/tagline-ci/tagline/pipelines/beamline"
)

// immutable returns what Kubernetes lets no upgrade change, by kind and name.
func immutable(t *testing.T, manifests string) map[string]any {
	all := map[string]any{}
	for _, doc := range strings.Split(manifests, "\n---\n") {
		o, _, err := strict.Decode([]byte(doc), nil, nil)
		require.NoError(t, err)
		switch o := o.(type) {
		case *appsv1.Deployment:
			all["Deployment "+o.Name] = *o.Spec.Selector
		case *corev1.PersistentVolumeClaim:
			o.Spec.Resources = corev1.VolumeResourceRequirements{} // which may grow
			all["Claim "+o.Name] = o.Spec
		}
	}
	require.Len(t, all, 2)
	return all
}

// testdata/first.yaml is what the first library chart made of an instance with
// autosave. Whatever values one has today, it can be upgraded from there.
func TestUpgradesTouchNoImmutableField(t *testing.T) {
	first, err := os.ReadFile("testdata/first.yaml")
	require.NoError(t, err)
	bl, inst := stage(t)
	inst.Values.Autosave, inst.Values.Network, inst.Values.NodeName = "200Mi", "cluster", "one"
	inst.Values.Labels = map[string]string{"example.org/owner": "ajp"}
	inst.Values.Devices = []beamline.Device{{Path: "/dev/ttyUSB0"}}
	inst.Values.Containers = []map[string]any{{"name": "beside"}}
	tgz, err := lib.Package(bl, inst, image, "2026.11.2")
	require.NoError(t, err)
	now, err := Render(tgz, "bl01t")
	require.NoError(t, err)
	require.Equal(t, immutable(t, string(first)), immutable(t, now))
}
