package beamline_test

import (
	"encoding/json"
	"fmt"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

// origins returns where each value of an instance is from: "3 text" of its own file,
// "beamline:5 text", or "default text".
func origins(t *testing.T, shared, own string) map[string]string {
	t.Helper()
	tree := fstest.MapFS{
		"beamlines/bl01t/beamline.yaml":              {Data: []byte("namespace: bl01t\n" + shared)},
		"beamlines/bl01t/iocs/bl01t-a/values.yaml":   {Data: []byte("image: ioc-a 1.0.0\nprobePV: A\n" + own)},
		"beamlines/bl01t/iocs/bl01t-a/config/st.cmd": {Data: []byte("iocInit\n")},
	}
	bl, err := beamline.Read(tree, "bl01t")
	require.NoError(t, err)
	values, err := bl.Origins(tree, bl.Instances[0])
	require.NoError(t, err)
	require.Equal(t, "image", values[0].Key)
	all := map[string]string{}
	for _, v := range values {
		text, err := json.Marshal(v.Value)
		require.NoError(t, err)
		from := "default"
		switch v.File {
		case bl.Instances[0].File:
			from = fmt.Sprint(v.Line)
		case bl.File:
			from = fmt.Sprintf("beamline:%d", v.Line)
		}
		all[v.Key] = from + " " + string(text)
	}
	return all
}

func TestOrigins(t *testing.T) {
	const two = "values:\n  env:\n    A: x\n    B: x\n"
	for name, c := range map[string]struct {
		shared, own string
		key, want   string
	}{
		"the image":       {"", "", "image", `1 "ioc-a 1.0.0"`},
		"its own":         {"", "memory: 1Gi\n", "memory", `3 "1Gi"`},
		"the beamline's":  {"values:\n  memory: 1Gi\n", "", "memory", `beamline:3 "1Gi"`},
		"its own over it": {"values:\n  memory: 1Gi\n", "memory: 2Gi\n", "memory", `3 "2Gi"`},
		"nobody's":        {"", "", "memory", ""},
		"a default":       {"", "", "graceSeconds", "default 30"},
		"none written":    {"values:\n  autosave: 1Gi\n", "autosave: \"\"\n", "autosave", `3 ""`},
		"no list": {
			"values:\n  tolerations: [{operator: Exists}]\n", "tolerations: []\n", "tolerations", "3 []",
		},
		"no list of all":         {"values:\n  tolerations: []\n", "", "tolerations", "beamline:3 []"},
		"an empty map":           {"", "env: {}\n", "env", "3 {}"},
		"a list of the beamline": {"values:\n  imagePullSecrets: [a]\n", "", "imagePullSecrets", `beamline:3 ["a"]`},
		"a variable":             {two, "env:\n  B: y\n", "env.B", `4 "y"`},
		"a shared variable":      {two, "env:\n  B: y\n", "env.A", `beamline:4 "x"`},
		"a label with dots": {
			"values:\n  nodeSelector: {a.b/c: x}\n", "", "nodeSelector.a.b/c", `beamline:3 "x"`,
		},
		"a start":           {"", "", "start", "default true"},
		"no start":          {"values:\n  start: false\n", "", "start", "beamline:3 false"},
		"a start after all": {"values:\n  start: false\n", "start: true\n", "start", "3 true"},
		"part of a struct": {
			"values:\n  startup:\n    within: 3m\n", "startup: {refuse: [{line: x, why: y}]}\n", "startup.within",
			`beamline:4 "3m"`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.want, origins(t, c.shared, c.own)[c.key])
		})
	}
}

// The defaults that are shown are those that editors show.
func TestDefaultsAreThoseOfTheSchema(t *testing.T) {
	var schema struct {
		Properties map[string]struct{ Default any }
	}
	require.NoError(t, json.Unmarshal(beamline.Schemas()["instance.schema.json"], &schema))
	shown := origins(t, "", "")
	for key, p := range schema.Properties {
		if p.Default != nil {
			text, err := json.Marshal(p.Default)
			require.NoError(t, err)
			assert.Equal(t, "default "+string(text), shown[key], key)
		}
	}
}

func TestAnUnknownInstanceNamesThoseThereAre(t *testing.T) {
	bl, err := beamline.Read(site(t), "bl01t")
	require.NoError(t, err)
	inst, err := bl.Instance("bl01t-mo-ioc-02")
	require.NoError(t, err)
	require.Same(t, bl.Instances[1], inst)
	_, err = bl.Instance("bl01t-va-ioc-01")
	require.EqualError(t, err, "beamlines/bl01t/iocs: beamline bl01t has no IOC instance \"bl01t-va-ioc-01\"; "+
		"the instances here are bl01t-mo-ioc-01, bl01t-mo-ioc-02")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
}
