package beamline_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// pair returns a tree with a beamline of two instances, a and b, that have these
// values, and share others.
func pair(shared, a, b string) fstest.MapFS {
	tree := fstest.MapFS{"beamlines/bl01t/beamline.yaml": {Data: []byte("namespace: bl01t\n" + shared)}}
	for name, own := range map[string]string{"a": a, "b": b} {
		folder := "beamlines/bl01t/iocs/bl01t-" + name
		text := fmt.Sprintf("image: ioc-a 1.0.0\nprobePV: %s\n%s", strings.ToUpper(name), own)
		tree[folder+"/values.yaml"] = &fstest.MapFile{Data: []byte(text)}
		tree[folder+"/config/opi/main.bob"] = &fstest.MapFile{Data: []byte("<display/>\n")}
		tree[folder+"/config/st.cmd"] = &fstest.MapFile{Data: []byte("iocInit\n")}
	}
	return tree
}

// What the instances of a beamline may have in common, and what keeps them apart.
func TestWhatInstancesMayShare(t *testing.T) {
	const (
		port = "container: {ports: [{containerPort: 80}]}\n"
		web  = "containers: [{name: web, command: [web], ports: [{containerPort: 80, hostPort: 80}]}]\n"
		data = "  volumes: [{name: data, mountPath: /data, nfs: {server: nfs, path: /data}}]\n"
		keep = "containers: [{name: keep, command: [keep], volumeMounts: [{name: data, mountPath: /epics/autosave%s}]}]\n"
		mine = "volumes: [{name: x, mountPath: /x, claim: bl01t-a-autosave}]\n"
		his  = "volumes: [{name: x, mountPath: /x, claim: bl01t-b-autosave}]\n"
		expr = ", subPathExpr: $(X)"
		rule = "requiredDuringSchedulingIgnoredDuringExecution"
	)
	screens := "opi: {port: 80%s, mountPath: /html, image: web@sha256:" + strings.Repeat("7", 64) + "}\n"
	one, two := fmt.Sprintf(screens, "80"), fmt.Sprintf(screens, "81")
	mount := func(more string) string { return fmt.Sprintf(keep, more) }
	node := func(path string) string {
		return "volumes: [{name: data, mountPath: /data, hostPath: " + path + "}]\n" + mount("")
	}
	for name, c := range map[string]struct {
		shared, a, b string
		refused      bool
	}{
		"a port":                      {"", port, port, true},
		"a port of all":               {"values:\n  " + port, "", "", true},
		"a port beside":               {"", port, web, true},
		"no port":                     {"", port, "", false},
		"one data folder":             {"values:\n" + data, "", "", false},
		"one server port":             {"values:\n  env: {EPICS_CA_SERVER_PORT: \"6064\"}\n", "", "", false},
		"a port on two nodes":         {"", "nodeName: one\n" + port, "nodeName: two\n" + port, false},
		"a port on one node":          {"", "nodeName: one\n" + port, "nodeName: one\n" + port, true},
		"a port somewhere":            {"", "nodeName: one\n" + port, port, true},
		"a port of two kinds of node": {"", "nodeSelector: {x: a}\n" + port, "nodeSelector: {x: b}\n" + port, false},
		"a port of any two kinds":     {"", "nodeSelector: {x: a}\n" + port, "nodeSelector: {y: b}\n" + port, true},
		"a node by its label": {
			"", "nodeName: one\n" + port, "nodeSelector: {kubernetes.io/hostname: two}\n" + port, false,
		},
		"a port kept apart": {
			"", "affinity: {podAntiAffinity: {" + rule + ": [{topologyKey: kubernetes.io/hostname}]}}\n" + port, port,
			false,
		},
		"a port in the pods' network": {"values:\n  network: cluster\n", port, port, false},
		"a node's port from there":    {"values:\n  network: cluster\n", web, web, true},
		"screens at one port":         {"", one, one, true},
		"at the port of all":          {"values:\n  " + one, "", "", true},
		"at two ports":                {"values:\n  " + one, "", two, false},
		"at a port that is named":     {"", one, strings.ReplaceAll(port, "80", "8080"), true},
		"in the pods' network":        {"values:\n  network: cluster\n", one, one, false},
		"one folder of autosave":      {"values:\n" + data, mount(""), mount(""), true},
		"one that is only read":       {"values:\n" + data, mount(""), mount(", readOnly: true"), false},
		"folders of their own":        {"values:\n" + data, mount(", subPath: a"), mount(", subPath: b"), false},
		"one by a variable":           {"values:\n" + data, mount(expr), mount(expr), false},
		"a folder of the node":        {"", node("/x"), node("/x"), true},
		"of two nodes":                {"", "nodeName: one\n" + node("/x"), "nodeName: two\n" + node("/x"), false},
		"two of a node":               {"", node("/x"), node("/y"), false},
		"a claim that nobody has":     {"", "", mine, false},
		"another's claim":             {"", "autosave: 1Gi\n", mine, true},
		"the claim of a later one":    {"", his, "autosave: 1Gi\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := beamline.Read(pair(c.shared, c.a, c.b), "bl01t")
			if !c.refused {
				require.NoError(t, err)
				return
			}
			require.Len(t, diag.All(err), 1, "once for two instances: %v", err)
			require.Equal(t, diag.Invalid, diag.KindOf(err))
		})
	}
}

// What comes of the values of an instance with its own template for the IOC is not known.
func TestAnInstanceWithItsOwnTemplateIsNotJudged(t *testing.T) {
	const port = "container: {ports: [{containerPort: 80}]}\n"
	tree := pair("", port, port)
	for name, text := range map[string]string{"Chart.yaml": "{}", "templates/ioc.yaml": "# nothing\n"} {
		tree["beamlines/bl01t/iocs/bl01t-b/"+name] = &fstest.MapFile{Data: []byte(text)}
	}
	_, err := beamline.Read(tree, "bl01t")
	require.NoError(t, err)
}
