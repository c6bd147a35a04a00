package beamline_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/startup"
)

const (
	own      = "beamlines/bl01t/iocs/bl01t-a/values.yaml:"
	shared   = "beamlines/bl01t/beamline.yaml:"
	amount   = "; write it as in 100m for cpu, 256Mi for memory and autosave"
	variable = "; write it as in EPICS_CA_MAX_ARRAY_BYTES"
	data     = "values:\n  volumes: [{name: data, mountPath: /data, claim: x}]\n"
	digest   = "web@sha256:7777777777777777777777777777777777777777777777777777777777777777"
	noVolume = "; name one of volumes, or of volumes below pod"
)

// refusedValues are the cases of TestValuesThatKubernetesRefuses.
var refusedValues = map[string]struct {
	shared, own string
	want        []string
}{
	"amounts": {"", "cpu: \"1.5\"\nmemory: 1.5Gi\nautosave: 64Ki\n", nil},
	"a thousandth": {
		"",
		"memory: 256m\n",
		[]string{own + "3: memory: \"256m\" is an amount of 1 bytes" + amount},
	},
	"no unit": {
		"",
		"memory: \"512\"\n",
		[]string{own + "3: memory: \"512\" is an amount of 512 bytes" + amount},
	},
	"a small volume": {
		"values:\n  autosave: 100k\n",
		"autosave: 100m\n",
		[]string{own + "3: autosave: \"100m\" is an amount of 1 bytes" + amount},
	},
	"an exponent": {
		"",
		"memory: 1e9\n",
		[]string{own + "3: memory: \"1e9\" is an amount that the chart does not take" + amount},
	},
	"an image of nothing": {
		"",
		"containers:\n  - {name: a, command: [a], image: null}\n  - {name: b, command: [b], image: 5}\n",
		[]string{
			own + "4: the image \"\" is not named by digest, and can become another; write it as host/path@sha256:…, " +
				"or leave it out for the IOC's own",
			own + "5: Kubernetes can't read it as a Container: ",
		},
	},
	"nothing of the user": {
		"values:\n  container: {securityContext: null}\n",
		"pod:\n  securityContext: null\n  hostname: null\n  volumes:\n  - {name: null, emptyDir: {}}\n" +
			"container:\n  securityContext:\n    capabilities:\n  env: [null]\n",
		[]string{
			shared + "3: values.container.securityContext: it has no value; give it one, or remove it",
			own + "4: pod.securityContext: it has no value; give it one, or remove it",
			own + "7: pod.volumes.0.name: it has no value; give it one, or remove it",
			own + "10: container.securityContext.capabilities: it has no value; give it one, or remove it",
			own + "11: container.env.0: it has no value; give it one, or remove it",
		},
	},
	"a variable with a dot": {
		"",
		"env:\n  SITE.NAME: x\n  my-site: x\n  _site: x\n",
		[]string{
			own + "4: \"SITE.NAME\" can't be the name of an environment variable" + variable,
			own + "5: \"my-site\" can't be the name of an environment variable" + variable,
		},
	},
	"a unit twice": {
		"",
		"memory: 1e3Mi\n",
		[]string{own + "3: memory: \"1e3Mi\" is not an amount that Kubernetes reads" + amount},
	},
	"whole numbers": {"", "uid: 1.0e+3\ngraceSeconds: 30.0\n", nil},
	"octal": {
		"",
		"uid: 0755\n",
		[]string{own + "3: 0755 is a number that readers of YAML disagree about; "},
	},
	"a huge user": {
		"",
		"uid: 99999999999999999999\n",
		[]string{own + "3: uid: the text \"99999999999999999999\" where a whole number"},
	},
	"every taint": {"", "tolerations: [{operator: Exists}, {key: a, value: b_c.d, effect: NoExecute}]\n", nil},
	"a taint of none": {
		"",
		"tolerations:\n- {key: \"\", value: x}\n",
		[]string{own + "4: the toleration has no key; add key, or "},
	},
	"a key that is no text": {
		"", "tolerations:\n- {key: 5, value: x}\n", []string{
			own + "4: tolerations.key: the number 5 where text belongs; ",
		},
	},
	"a taint's value": {
		"",
		"tolerations:\n- {key: a, value: b c}\n",
		[]string{own + "4: taints have no value \"b c\"; write the value as "},
	},
	"volumes": {
		data,
		"pod: {volumes: [{name: x, emptyDir: {}}]}\ncontainer: {volumeMounts: [{name: x, mountPath: /x}]}\n",
		nil,
	},
	"mounted again": {data, "container: {volumeMounts: [{name: data, mountPath: /again, subPath: a}]}\n", nil},
	"one of the chart": {
		"",
		"containers: [{name: c, command: [c], volumeMounts: [{name: tmp, mountPath: /tmp}]}]\n",
		nil,
	},
	"a list in place": {data, "volumes: []\npod: {volumes: [{name: data, emptyDir: {}}]}\n", nil},
	"a name of both files": {
		data, "pod:\n  volumes:\n  - {name: data, emptyDir: {}}\n",
		[]string{own + "5: another volume is called \"data\" too (" + shared + "3); choose another name"},
	},
	"a name of one file": {
		"", "volumes: [{name: data, mountPath: /data, claim: x}]\npod: {volumes: [{name: data, emptyDir: {}}]}\n",
		[]string{own + "4: another volume of the pod is called \"data\"; choose another name"},
	},
	"a name twice": {
		"", "pod:\n  volumes:\n  - {name: x, emptyDir: {}}\n  - {name: x, emptyDir: {}}\n",
		[]string{own + "6: another volume is called \"x\" too (" + own + "5); choose another name"},
	},
	"a place of both files": {
		data, "container: {volumeMounts: [{name: data, mountPath: /data/}]}\n",
		[]string{own + "3: another volume is at /data too (" + shared + "3); choose another folder"},
	},
	"nowhere": {
		"values:\n  container: {volumeMounts: [{name: dat, mountPath: /data}]}\n", "",
		[]string{shared + "3: the pod has no volume \"dat\"" + noVolume},
	},
	"nowhere beside": {
		data, "initContainers:\n- {name: i, command: [i], volumeMounts: [{name: dat, mountPath: /d}]}\n" +
			"containers:\n- {name: c, command: [c], volumeMounts: [{name: dato, mountPath: /d}]}\n",
		[]string{
			own + "4: the pod has no volume \"dat\"" + noVolume,
			own + "6: the pod has no volume \"dato\"" + noVolume,
		},
	},
	"the ports of both protocols": {
		"values:\n  env: {EPICS_PVA_SERVER_PORT: \"5064\"}\n",
		"opi: {port: 5064, mountPath: /html, image: " + digest + "}\n",
		[]string{
			own + "3: bl01t-a serves Channel Access at TCP port 5064; choose another port",
			own + "3: bl01t-a serves pvAccess at TCP port 5064; choose another port",
		},
	},
}

// What Kubernetes would refuse at a promotion, or run otherwise than was meant, is
// refused where it stands.
func TestValuesThatKubernetesRefuses(t *testing.T) {
	for name, c := range refusedValues {
		t.Run(name, func(t *testing.T) {
			_, err := beamline.Read(pair(c.shared, c.own, ""), "bl01t")
			all := diag.All(err)
			require.Len(t, all, len(c.want), err)
			for i, want := range c.want {
				assert.ErrorContains(t, all[i], want)
				assert.Equal(t, diag.Invalid, diag.KindOf(all[i]))
			}
		})
	}
}

// What an instance has where its files say nothing, and what they say.
func TestDefaults(t *testing.T) {
	for want, v := range map[string]beamline.Values{
		"1000:1000 30 ca":  {},
		"5:1000 1 pva":     {UID: 5, GraceSeconds: 1, Protocol: "pva"},
		"1000:6 3600 ca":   {GID: 6, GraceSeconds: 3600, Protocol: "ca"},
		"2000:2001 30 pva": {UID: 2000, GID: 2001, Protocol: "pva"},
	} {
		assert.Equal(t, want, fmt.Sprintf("%s %d %s", v.User(), v.Grace(), v.ProbeProtocol()))
	}
	for want, v := range map[string]any{
		"a <b>": "a <b>", `""`: "", "5": 5, "true": true, `["a<b"]`: []string{"a<b"}, `{"a":"&"}`: map[string]any{"a": "&"}, "{}": map[string]any{},
	} {
		got, err := beamline.Value{Value: v}.Text()
		require.NoError(t, err)
		assert.Equal(t, want, got)
	}
}

// What an instance reaches for beyond an ordinary IOC is known from each value that can.
func TestReaches(t *testing.T) {
	plain := beamline.Values{
		ProbePV: "A", Memory: "1Gi", Autosave: "1Gi", Env: map[string]string{"A": "b"}, Network: "host",
		NodeName: "a", Labels: map[string]string{"a": "b"}, ImagePullSecrets: []string{"a"}, PriorityClass: "a",
	}
	require.False(t, (&beamline.Instance{Values: plain}).Reaches())
	require.True(t, (&beamline.Instance{Values: plain, Chart: true}).Reaches())
	require.True(t, (&beamline.Instance{Values: plain, Foreign: &beamline.Foreign{}}).Reaches())
	for name, v := range map[string]beamline.Values{
		"network": {Network: "cluster"}, "serviceAccount": {ServiceAccount: "a"}, "opi": {Opi: &beamline.Opi{}},
		"volumes": {Volumes: []beamline.Volume{{}}}, "devices": {Devices: []beamline.Device{{}}},
		"annotations": {Annotations: map[string]string{"a": "b"}}, "initContainers": {InitContainers: []map[string]any{{}}},
		"containers": {Containers: []map[string]any{{}}}, "pod": {Pod: map[string]any{"a": 1}},
		"container": {Container: map[string]any{"a": 1}},
	} {
		require.True(t, (&beamline.Instance{Values: v}).Reaches(), name)
	}
}

// beamline.yaml alone is read without the instances, whatever is wrong with them.
func TestShared(t *testing.T) {
	tree := pair("values: {memory: 1Gi}\n", "memory: lots\n", "")
	bl, err := beamline.Shared(tree, "bl01t")
	require.NoError(t, err)
	require.Equal(t, "1Gi", bl.Values.Memory)
	require.Empty(t, bl.Instances)
	_, err = beamline.Shared(pair("values: {memory: lots}\n", "", ""), "bl01t")
	require.ErrorContains(t, err, "beamlines/bl01t/beamline.yaml:2: memory: \"lots\" is not an amount")
	for name, want := range map[asset.Name]string{
		"bl02t": `beamlines/bl02t: there is no beamline "bl02t"; did you mean "bl01t"?`,
		"BL01T": `beamlines/BL01T: "BL01T" can't be a beamline's name: only lower-case letters, digits and -, at most 63; ` +
			"rename the folder, as in bl01t",
	} {
		_, err = beamline.Shared(tree, name)
		require.EqualError(t, err, want)
	}
	_, err = beamline.Shared(fstest.MapFS{}, "bl01t")
	require.EqualError(t, err, `beamlines/bl01t: there is no beamline "bl01t"; add it`)
	_, err = beamline.Names(fstest.MapFS{"beamlines": {}})
	require.ErrorContains(t, err, "beamlines: it can't be listed: ")
	require.Equal(t, diag.Invalid, diag.KindOf(err))
}

// Files that are called almost as they should be are told, and not passed over.
func TestNamesInAnotherCase(t *testing.T) {
	const a = "beamlines/bl01t/iocs/bl01t-a"
	for name, want := range map[string]string{
		a + "/Values.yaml":                           a + "/Values.yaml: an IOC instance is values.yaml, config/ and, ",
		a + "/values.yml":                            a + "/values.yml: an IOC instance is values.yaml, config/ and, ",
		a + "/Config/st.cmd":                         a + "/Config: an IOC instance is values.yaml, config/ and, ",
		a + "/st.cmd":                                a + "/st.cmd: an IOC instance is values.yaml, config/ and, ",
		a + "/chart.yaml":                            a + "/chart.yaml: an IOC instance is values.yaml, config/ and, ",
		a + "/Chart.yaml":                            a + ": Chart.yaml and templates/ come together; add the other",
		a + "/templates/a.yaml":                      a + ": Chart.yaml and templates/ come together; add the other",
		"beamlines/bl01t/iocs/c":                     "beamlines/bl01t/iocs/c: only folders of IOC instances belong here; ",
		"beamlines/bl01t/iocs/BL01T-B/config/st.cmd": "the name of an IOC instance begins with its beamline's, bl01t-; ",
	} {
		tree := pair("", "", "")
		tree[name] = &fstest.MapFile{Data: []byte("iocInit\n")}
		_, err := beamline.Read(tree, "bl01t")
		require.ErrorContains(t, err, want, name)
	}
	tree := pair("", "", "")
	tree[a+"/config/ST.CMD"] = &fstest.MapFile{}
	tree[a+"/README.md"], tree["beamlines/bl01t/iocs/.gitkeep"] = &fstest.MapFile{}, &fstest.MapFile{}
	bl, err := beamline.Read(tree, "bl01t")
	require.NoError(t, err)
	require.Len(t, bl.Instances, 2)
	require.Contains(t, bl.Instances[0].Config, "ST.CMD")
}

// A database of any size is read as it is, and goes into an image.
func TestALargeDatabase(t *testing.T) {
	database := []byte(strings.Repeat("record(ai, \"$(P)X\") { field(DESC, \"of a site\") }\r\n", 65_000))
	require.Greater(t, len(database), 3<<20)
	tree := pair("", "", "")
	tree["beamlines/bl01t/iocs/bl01t-a/config/db/all.db"] = &fstest.MapFile{Data: database}
	delete(tree, "beamlines/bl01t/iocs/bl01t-b/config/opi/main.bob")
	bl, err := beamline.Read(tree, "bl01t")
	require.NoError(t, err)
	require.Equal(t, database, bl.Instances[0].Config["db/all.db"])
	require.True(t, bl.Instances[0].InImage())
	require.False(t, bl.Instances[1].InImage())
}

// Values differ where JSON shows it: what is empty is not there.
func TestDiffer(t *testing.T) {
	off := false
	base := func() beamline.Values {
		return beamline.Values{
			UID: 1, Env: map[string]string{"A": "1"}, Opi: &beamline.Opi{Port: 1},
			Pod: map[string]any{"hostname": "x"}, Tolerations: []beamline.Toleration{{Key: "a"}},
		}
	}
	for want, change := range map[string]func(*beamline.Values){
		"": func(v *beamline.Values) {
			v.Labels, v.Volumes, v.Opi = map[string]string{}, []beamline.Volume{}, &beamline.Opi{Port: 1}
		},
		"uid":          func(v *beamline.Values) { v.UID = 2 },
		"env":          func(v *beamline.Values) { v.Env["A"] = "2" },
		"opi":          func(v *beamline.Values) { v.Opi = nil },
		"pod,start":    func(v *beamline.Values) { v.Pod, v.Start = nil, &off },
		"tolerations":  func(v *beamline.Values) { v.Tolerations[0].Key = "b" },
		"network,opi":  func(v *beamline.Values) { v.Network, v.Opi.Port = "cluster", 2 },
		"startup":      func(v *beamline.Values) { v.Startup = &startup.Rules{} },
		"probePV,uid":  func(v *beamline.Values) { v.ProbePV, v.UID = "X", 0 },
		"containers":   func(v *beamline.Values) { v.Containers = []map[string]any{{"name": "x"}} },
		"nodeSelector": func(v *beamline.Values) { v.NodeSelector = map[string]string{"a": ""} },
	} {
		v := base()
		change(&v)
		assert.Equal(t, want, strings.Join(v.Differ(base()), ","))
		assert.Equal(t, want, strings.Join(base().Differ(v), ","))
	}
}
