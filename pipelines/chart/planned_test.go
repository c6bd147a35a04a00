package chart

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// deployment is one of a service, of a name and with an image.
func deployment(name, image string) string {
	return "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: " + name + "}\nspec:\n" +
		"  selector: {matchLabels: {a: b}}\n  template:\n    metadata: {labels: {a: b}}\n    spec:\n" +
		"      containers: [{name: c, image: " + image + "}]\n"
}

// What the instances of a tree will need is known before they are released: as what is
// read of their charts afterwards, and nothing of ordinary ones.
func TestPlanned(t *testing.T) {
	const b = "beamlines/bl01t/iocs/bl01t-b/"
	sevens := "@sha256:" + strings.Repeat("7", 64)
	for name, c := range map[string]struct {
		files map[string]string
		want  map[string][]string
	}{
		"ordinary ones": {nil, nil},
		"a value": {
			map[string]string{b + "values.yaml": "image: ioc-b 1.0.0\nprobePV: B\nnetwork: cluster\n"},
			map[string][]string{"bl01t-b": {"kind Service"}},
		},
		"a template": {
			map[string]string{
				b + "Chart.yaml":       "description: x\n",
				b + "templates/s.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n",
			},
			map[string][]string{"bl01t-b": {"kind Secret"}},
		},
		"a template that needs nothing": {
			map[string]string{
				b + "Chart.yaml":       "description: x\n",
				b + "templates/c.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n",
			},
			map[string][]string{"bl01t-b": nil},
		},
		"a template and an image of its own": {
			map[string]string{
				b + "config/db/a.db":   "record(ai, A) {}\n",
				b + "Chart.yaml":       "description: x\n",
				b + "templates/s.yaml": "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n",
			},
			map[string][]string{"bl01t-b": {"kind Secret"}},
		},
		"a service": {
			map[string]string{
				b + "values.yaml": "service: a gateway\nimage: ghcr.io/some-org/web:1" + sevens + "\n" +
					"boot: {none: it is the network's}\n",
			},
			map[string][]string{"bl01t-b": {"image ghcr.io/some-org/web:1" + sevens}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			tree := shownTree()
			tree[b+"values.yaml"] = &fstest.MapFile{Data: []byte("image: ioc-b 1.0.0\nprobePV: B\n")}
			tree[b+"config/st.cmd"] = &fstest.MapFile{Data: []byte("iocInit\n")}
			for file, text := range c.files {
				tree[file] = &fstest.MapFile{Data: []byte(text)}
			}
			got, err := Planned(tree, "bl01t", "2026.11.1")
			require.NoError(t, err)
			require.Len(t, got, len(c.want))
			for inst, needs := range c.want {
				require.Equal(t, needs, got[inst], inst)
			}
		})
	}
}

// A beamline that can't be planned is told with what is wrong with it.
func TestPlannedRefuses(t *testing.T) {
	const a = "beamlines/bl01t/iocs/bl01t-a/"
	for name, c := range map[string]struct {
		files map[string]string
		says  string
	}{
		"a value": {
			map[string]string{a + "values.yaml": "image: ioc-a 1.0.0\n"}, a + `values.yaml:1: the key "probePV"`,
		},
		"a library": {
			map[string]string{"charts/ioc-lib/Chart.yaml": "type: application\n"}, "charts/ioc-lib/Chart.yaml: ",
		},
		"a template": {nil, "templates/x.yaml"},
	} {
		tree := shownTree()
		tree[a+"Chart.yaml"] = &fstest.MapFile{Data: []byte("description: x\n")}
		tree[a+"templates/x.yaml"] = &fstest.MapFile{Data: []byte("{{ fail \"no\" }}\n")}
		for file, text := range c.files {
			tree[file] = &fstest.MapFile{Data: []byte(text)}
		}
		_, err := Planned(tree, "bl01t", "2026.11.1")
		require.ErrorContains(t, err, c.says, name)
		require.Equal(t, diag.Invalid, diag.KindOf(err), name)
	}
}

// A service that brings its chart has the Deployment that is looked after, and images that
// stay what they are.
func TestServicesThatCanNotBeLookedAfter(t *testing.T) {
	const folder = "beamlines/bl01t/iocs/bl01t-mo-ioc-01/templates"
	const doing = ": checking the chart of service bl01t-mo-ioc-01 1.0.0: "
	const none = folder + doing + "it has no Deployment of its name, which is waited for, stopped and started; " +
		"name a Deployment {{ .Chart.Name }}"
	pinned := "ghcr.io/some-org/web@sha256:" + strings.Repeat("7", 64)
	byTag := func(file, image string) string {
		return folder + "/" + file + doing + `image "` + image + `" is not named by digest; ` +
			"name it with its digest, as in host/name:1.2.3@sha256:…"
	}
	own := deployment("{{ .Chart.Name }}", pinned)
	for name, c := range map[string]struct {
		templates map[string]string
		want      []string
	}{
		"a good one": {map[string]string{"a.yaml": own}, nil},
		"with more":  {map[string]string{"a.yaml": own, "b.yaml": deployment("other", pinned)}, nil},
		"none":       {map[string]string{"a.yaml": "# nothing\n"}, []string{none}},
		"another":    {map[string]string{"a.yaml": deployment("other", pinned)}, []string{none}},
		"of a kind of somebody's": {
			map[string]string{"a.yaml": strings.Replace(own, "apps/v1", "apps.example.org/v1", 1)}, []string{none},
		},
		"of another kind": {
			map[string]string{"a.yaml": strings.Replace(own, "kind: Deployment", "kind: DaemonSet", 1)}, []string{none},
		},
		"by tag": {
			map[string]string{"a.yaml": deployment("{{ .Chart.Name }}", "web:1")}, []string{byTag("a.yaml", "web:1")},
		},
		"another by tag, and before": {
			map[string]string{
				"a.yaml": own,
				"b.yaml": deployment("other", "web") + "      initContainers: [{name: i, image: 'first:2'}]\n",
			},
			[]string{byTag("b.yaml", "first:2"), byTag("b.yaml", "web")},
		},
		"nothing by digest, and not of its name": {
			map[string]string{"a.yaml": deployment("other", "web:1")}, []string{byTag("a.yaml", "web:1"), none},
		},
	} {
		t.Run(name, func(t *testing.T) {
			bl, inst := stage(t)
			inst.Service, inst.Image, inst.Values = "a gateway", asset.Pin{}, beamline.Values{}
			inst.Chart, inst.Own = true, map[string][]byte{"Chart.yaml": []byte("description: x\n")}
			for file, text := range c.templates {
				inst.Own["templates/"+file] = []byte(text)
			}
			_, err := lib.Package(bl, inst, "", "1.0.0")
			all := diag.All(err)
			require.Len(t, all, len(c.want), err)
			for i, want := range c.want {
				require.EqualError(t, all[i], want)
				require.Equal(t, diag.Invalid, diag.KindOf(all[i]))
			}
		})
	}
}
