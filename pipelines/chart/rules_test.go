package chart

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"helm.sh/helm/v3/pkg/chart/loader"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/tagline-ci/tagline/pipelines/beamline"
)

// rendered returns the ConfigMap and the Deployment that Helm would send to a cluster.
func rendered(t require.TestingT, inst *beamline.Instance, version string) (*corev1.ConfigMap, *appsv1.Deployment) {
	tgz, err := lib.Package(&beamline.Beamline{Name: "bl01t", Namespace: "bl01t"}, inst, image, version)
	require.NoError(t, err)
	text, err := Render(tgz, "bl01t")
	require.NoError(t, err)
	var config *corev1.ConfigMap
	var deployment *appsv1.Deployment
	for _, doc := range strings.Split(text, "\n---\n") {
		o, _, err := strict.Decode([]byte(doc), nil, nil)
		require.NoError(t, err)
		switch o := o.(type) {
		case *corev1.ConfigMap:
			config = o
		case *appsv1.Deployment:
			deployment = o
		}
	}
	require.NotNil(t, config)
	require.NotNil(t, deployment)
	return config, deployment
}

func TestOnlyWhatTheIOCRunsChangesItsPod(t *testing.T) {
	_, inst := stage(t)
	_, before := rendered(t, inst, "2026.11.1")
	_, after := rendered(t, inst, "2026.11.2-beta.1+build")
	require.Equal(t, before.Spec, after.Spec, "a new version of an unchanged instance")
	require.NotEqual(t, before.Labels, after.Labels)

	inst.Config["stage.db"] = append(inst.Config["stage.db"], '\n')
	_, changed := rendered(t, inst, "2026.11.2")
	require.NotEqual(t, before.Spec.Template, changed.Spec.Template, "a changed file")
	require.Equal(t, before.Spec.Selector, changed.Spec.Selector, "Kubernetes refuses another selector")
}

// Every file reaches the IOC byte for byte, whatever is in it.
func FuzzConfigArrivesAsItIs(f *testing.F) {
	for _, seed := range []string{
		"", "\n", " ", "\n\n x", "x", "x\n\n", "\tx", "a\r\nb", "# c\n---\nkind: X\n", "{{ .Values }}", "key: [", "- " +
			"1", "'\"", "%x", "é\ufffd",
		"\x00", "\xff\xfe", strings.Repeat("long words ",
			30), "a  \nb\n", " x\n  y\n", "\u0085\u2028", "null", "1e3", "|\n>", "a\x1b[0m", "a\ufeff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		_, inst := stage(t)
		inst.Config["file"] = content
		if bytes.HasPrefix(content, []byte("\ufeff")) {
			return
		}
		config, _ := rendered(t, inst, "1.0.0")
		if got, ok := config.Data["file"]; ok {
			require.Equal(t, string(content), got)
		} else {
			require.Equal(t, string(content), string(config.BinaryData["file"]))
		}
	})
}

func TestManyGoroutinesPackageAtOnce(t *testing.T) {
	bl, inst := stage(t)
	want, err := lib.Package(bl, inst, image, "1.0.0")
	require.NoError(t, err)
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			got, err := lib.Package(bl, inst, image, "1.0.0")
			if err != nil || string(got) != string(want) {
				t.Error("another chart", err)
			}
		})
	}
	all.Wait()
}

func TestOwnChartFilesAreAdded(t *testing.T) {
	bl, inst := stage(t)
	inst.Chart = true
	inst.Own = map[string][]byte{
		"Chart.yaml": []byte("description: with a service\nannotations: {mine: \"1\"}\n"),
		"templates/service.yaml": []byte("apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Chart.Name " +
			"}}\nspec:\n  clusterIP: None\n"),
		"templates/custom.yaml": []byte("apiVersion: example.org/v1\nkind: Custom\nmetadata:\n  name: x\n"),
	}
	tgz, err := lib.Package(bl, inst, image, "1.0.0")
	require.NoError(t, err)
	c, err := loader.LoadArchive(bytes.NewReader(tgz))
	require.NoError(t, err)
	require.Equal(t, "with a service", c.Metadata.Description)
	require.Equal(t, map[string]string{"mine": "1", "tagline/beamline": "bl01t", "tagline/ioc": "ioc-simstage 1.0.0"},
		c.Metadata.Annotations)
	require.Equal(t, "1.0.0", c.Metadata.Version)
	text, err := Render(tgz, "bl01t")
	require.NoError(t, err)
	for _, kind := range []string{"Service", "Custom", "Deployment"} {
		require.Contains(t, text, "kind: "+kind+"\n")
	}

	inst.Own["templates/ioc.yaml"] = []byte("# not an ordinary IOC\n")
	tgz, err = lib.Package(bl, inst, image, "1.0.0")
	require.NoError(t, err)
	text, err = Render(tgz, "bl01t")
	require.NoError(t, err)
	require.NotContains(t, text, "kind: Deployment")
}

func TestLibraryTakesItsTagsVersion(t *testing.T) {
	tgz, err := lib.Archive("3.1.4")
	require.NoError(t, err)
	c, err := loader.LoadArchive(bytes.NewReader(tgz))
	require.NoError(t, err)
	require.Equal(t, "3.1.4", c.Metadata.Version)
	require.Equal(t, "library", c.Metadata.Type)
	_, err = lib.Archive("3.1")
	require.ErrorContains(t, err, "SemVer")
}

func BenchmarkPackage(b *testing.B) {
	bl, inst := stage(b)
	for i := range 50 {
		inst.Config[fmt.Sprintf("%d.db", i)] = []byte(strings.Repeat("record(ai, \"X\") {}\n", 20))
	}
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := lib.Package(bl, inst, image, "1.0.0"); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// What the library chart takes where an instance says nothing is what the
// instance is tested with.
func TestDefaultsAreThoseOfTheValues(t *testing.T) {
	var none beamline.Values
	pod, err := fs.ReadFile(os.DirFS("../../charts/ioc-lib"), "templates/_deployment.tpl")
	require.NoError(t, err)
	uid, gid, _ := strings.Cut(none.User(), ":")
	for _, want := range []string{
		fmt.Sprintf(".Values.uid | default %s ", uid), fmt.Sprintf(".Values.gid | default %s ", gid),
		fmt.Sprintf(".Values.graceSeconds | default %d ", none.Grace()),
	} {
		require.Contains(t, string(pod), want)
	}
	probe, err := fs.ReadFile(os.DirFS("../../charts/ioc-lib"), "templates/_probe.tpl")
	require.NoError(t, err)
	require.Contains(t, string(probe), fmt.Sprintf(".Values.protocol | default %q", none.ProbeProtocol()))
}
