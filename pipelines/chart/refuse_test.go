package chart

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

func TestPackageRefuses(t *testing.T) {
	own := func(chart, template string) func(*beamline.Instance) {
		return func(i *beamline.Instance) {
			i.Chart, i.Own = true, map[string][]byte{
				"Chart.yaml": []byte(chart), "templates/own.yaml": []byte(template),
			}
		}
	}
	folder := "beamlines/bl01t/iocs/bl01t-mo-ioc-01"
	for name, c := range map[string]struct {
		change func(*beamline.Instance)
		says   []string
	}{
		"values": {func(i *beamline.Instance) { i.Values.UID, i.Values.Memory = -1, "much" },
			[]string{folder + "/values.yaml", "/uid: ", "/memory: ", "bl01t-mo-ioc-01 2026.11.1"}},
		"no probe PV": {func(i *beamline.Instance) { i.Values.ProbePV = "" }, []string{"probePV"}},
		"IOC_NAME in env": {func(i *beamline.Instance) { i.Values.Env = map[string]string{"IOC_NAME": "x"} },
			[]string{"/env/IOC_NAME"}},
		"a volume from two places": {func(i *beamline.Instance) {
			i.Values.Volumes = []beamline.Volume{{Name: "x", MountPath: "/x", Claim: "x", HostPath: "/x"}}
		}, []string{"/volumes/0: "}},
		"a volume over the chart's own": {func(i *beamline.Instance) {
			i.Values.Volumes = []beamline.Volume{
				{Name: "config", MountPath: "/x", Claim: "x"}, {Name: "x", MountPath: "/epics/config", Claim: "x"},
			}
		}, []string{"/volumes/0/name: ", "/volumes/1/mountPath: "}},
		"screens without a digest": {func(i *beamline.Instance) {
			i.Values.Opi = &beamline.Opi{Image: "web:1", Port: 80, MountPath: "html"}
		}, []string{"/opi/image: ", "/opi/port: ", "/opi/mountPath: "}},
		"a container with the name of the chart's": {func(i *beamline.Instance) {
			i.Values.Containers = []map[string]any{{"name": "opi", "image": image}}
		}, []string{"/containers/0/name: "}},
		"the chart's own of pod and container": {func(i *beamline.Instance) {
			i.Values.Pod = map[string]any{
				"hostNetwork": false, "securityContext": map[string]any{"runAsUser": 0},
				"volumes": []any{map[string]any{"name": "config"}},
			}
			i.Values.Container = map[string]any{
				"image": "x", "securityContext": map[string]any{"privileged": true},
				"env": []any{map[string]any{"name": "IOC_RUN_PV"}},
			}
		}, []string{
			"/pod: additional properties 'hostNetwork'", "/pod/securityContext: additional properties 'runAsUser'",
			"/pod/volumes/0/name", "/container: additional properties 'image'",
			"/container/securityContext: additional properties 'privileged'", "/container/env/0/name",
		}},
		"a misspelled key of Kubernetes": {func(i *beamline.Instance) {
			i.Values.Pod = map[string]any{"hostAliasses": []any{}}
		}, []string{"/pod: additional properties 'hostAliasses'"}},
		"no start-up script": {func(i *beamline.Instance) { delete(i.Config, "st.cmd") },
			[]string{folder + "/config", "add config/st.cmd"}},
		"byte order mark": {func(i *beamline.Instance) { i.Config["st.cmd"] = []byte("\ufeffiocInit\n") },
			[]string{folder + "/config/st.cmd:1", "byte order mark"}},
		"instance name": {func(i *beamline.Instance) { i.Name = "BL01T" }, []string{"lower-case"}},
		"own chart's name": {own("name: other\n", ""), []string{folder + "/Chart.yaml", "other",
			"name it bl01t-mo-ioc-01"}},
		"own chart's key": {own("nmae: x\n", ""), []string{folder + "/Chart.yaml", "nmae"}},
		"own template's field": {own("", "apiVersion: v1\nkind: Service\nmetadata: {name: x}\nspec: {prots: []}\n"),
			[]string{folder + "/templates/own.yaml", "prots"}},
		"own template's syntax":   {own("", "{{ if }}"), []string{"templates/own.yaml"}},
		"own chart's dependency":  {own("dependencies: [{name: redis, version: 1.0.0}]\n", ""), []string{"redis"}},
		"own template not a kind": {own("", "apiVersion: v1\n"), []string{"Kind"}},
	} {
		t.Run(name, func(t *testing.T) {
			bl, inst := stage(t)
			c.change(inst)
			_, err := lib.Package(bl, inst, image, "2026.11.1")
			require.Error(t, err)
			require.Equal(t, diag.Invalid, diag.KindOf(err), err)
			for _, s := range c.says {
				require.ErrorContains(t, err, s)
			}
		})
	}
}

func TestPackageRefusesVersionsAndImages(t *testing.T) {
	bl, inst := stage(t)
	for _, v := range []string{"2026.09.01", "1.0", "v1.0.0", "7.0.8r1.0", ""} {
		_, err := lib.Package(bl, inst, image, v)
		require.ErrorContains(t, err, "tag a SemVer version", v)
	}
	for _, i := range []string{"", "127.0.0.1:5000/ioc:1.0.0", strings.ToUpper(image)} {
		_, err := lib.Package(bl, inst, i, "1.0.0")
		require.ErrorContains(t, err, "/image: ", i)
	}
}

func TestBrokenLibraryIsTold(t *testing.T) {
	chartYAML, err := os.ReadFile("../../charts/ioc-lib/Chart.yaml")
	require.NoError(t, err)
	for name, l := range map[string]fstest.MapFS{
		"empty":     {},
		"no schema": {"Chart.yaml": {Data: chartYAML}},
		"application": {"Chart.yaml": {Data: []byte("name: ioc-lib\nversion: 1.0.0\napiVersion: v2\n")},
			"values.schema.json": {Data: []byte("{}")}},
	} {
		_, err := ReadLibrary(l)
		require.ErrorContains(t, err, "charts/ioc-lib/", name)
		require.Equal(t, diag.Invalid, diag.KindOf(err), name)
	}
}

// The nulls that the chart does not take are those that the reader of beamlines refuses.
func TestNullsThatTheChartRefuses(t *testing.T) {
	null := func(path string) map[string]any { // {"a": {"b": null}} of "a.b", lists for *
		var value any
		words := strings.Split(path, ".")
		for _, word := range slices.Backward(words) {
			if value = map[string]any{word: value}; word == "*" {
				value = []any{value.(map[string]any)[word]}
			}
		}
		return value.(map[string]any)
	}
	for path, refused := range map[string]bool{
		"pod.securityContext": true, "pod.volumes": true, "pod.volumes.*": true, "pod.volumes.*.name": true,
		"container.securityContext": true, "container.securityContext.capabilities": true,
		"container.env": true, "container.env.*": true, "container.env.*.name": true,
		"pod.hostname": false, "pod.dnsConfig": false, "container.lifecycle": false,
		"pod.securityContext.sysctls": false,
	} {
		text, err := yaml.Marshal(null(path))
		require.NoError(t, err)
		tree := fstest.MapFS{
			"beamlines/bl01t/beamline.yaml": {Data: []byte("namespace: bl01t\n")},
			"beamlines/bl01t/iocs/bl01t-a/values.yaml": {
				Data: append([]byte("image: ioc-simstage 1.0.0\nprobePV: A\n"), text...),
			},
			"beamlines/bl01t/iocs/bl01t-a/config/st.cmd": {Data: []byte("iocInit\n")},
		}
		_, err = beamline.Read(tree, "bl01t")
		require.Equal(t, refused, err != nil, "%s: %v", path, err)

		bl, inst := stage(t)
		values := null(path)
		inst.Values.Pod, _ = values["pod"].(map[string]any)
		inst.Values.Container, _ = values["container"].(map[string]any)
		_, err = lib.Package(bl, inst, image, "1.0.0")
		require.Equal(t, refused, err != nil, "%s: %v", path, err)
	}
}
