package beamline_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
)

const serviceFile = "beamlines/bl01t/iocs/bl01t-x/values.yaml"

// serviceTree returns a beamline with one service, its values and the shared ones.
func serviceTree(shared, values string, chart bool) fstest.MapFS {
	tree := fstest.MapFS{
		"beamlines/bl01t/beamline.yaml": {Data: []byte("namespace: bl01t\n" + shared)},
		serviceFile:                     {Data: []byte(values)},
	}
	if chart {
		tree["beamlines/bl01t/iocs/bl01t-x/Chart.yaml"] = &fstest.MapFile{}
		tree["beamlines/bl01t/iocs/bl01t-x/templates/x.yaml"] = &fstest.MapFile{}
	}
	return tree
}

// What a service runs and how that is tested is read, or refused with what to write.
func TestServicesOfAllForms(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("7", 64)
	web := "service: a gateway\nimage: h/web:1" + digest + "\n"
	const bare = "service: a gateway\n"
	const either = "; write the command that tests it, or none: and why nothing can"
	for name, c := range map[string]struct {
		values string
		chart  bool
		boots  bool
		want   string
	}{
		"a test":                 {web + "boot: {command: [check]}\n", false, true, ""},
		"no test":                {web + "boot: {none: it wants a database}\n", false, false, ""},
		"a chart":                {bare, true, false, ""},
		"a chart without a test": {bare + "boot: {none: it wants a database}\n", true, false, ""},
		"a chart with a test": {
			bare + "boot: {command: [check]}\n", true, false,
			":2: a command is run in the image that a service names, and this one has a chart of its own; write none: and why, or name an image in place of the chart",
		},
		"nothing of a test": {
			web, false, false, ":1: nothing says how the service is tested, or why it is not; " +
				"add boot: {command: […]}, or boot: {none: why nothing of it can be tested}",
		},
		"both": {
			web + "boot: {command: [a], none: b}\n", false, true, ":3: boot has one of command and none" + either,
		},
		"a time": {web + "boot: {within: 5m}\n", false, false, ":3: boot has one of command and none" + either},
		"a time of nothing": {
			web + "boot: {none: x, within: 5m}\n", false, false,
			":3: nothing is run that could take a time; remove it",
		},
		"a name that no registry takes": {
			bare + "image: h/Web:1\nboot: {none: x}\n", false, false,
			":2: reading address h/Web:1: not something in a registry; " +
				"write host/path/name:tag or host/path/name@sha256:…",
		},
		"a generic IOC": {
			bare + "image: ioc-a 1.0.0\nboot: {none: x}\n", false, false,
			`:2: image: "ioc-a 1.0.0" is not a legal container image; write it as in ghcr.io/some-org/gateway:1.2.3`,
		},
		"a command of a chart": {
			bare + "command: [a]\n", true, false,
			":2: the service has a chart of its own, and no command; remove it, or Chart.yaml and templates/",
		},
		"a probe": {
			web + "boot: {none: x}\nprobePV: A\n", false, false,
			":4: a service is no IOC, and has no probePV; remove it, or service",
		},
		"a generator": {
			web + "boot: {none: x}\ngenerate: {command: [a]}\n", false, false,
			":4: a service is no IOC, and has no generate; remove it, or service",
		},
		"screens of a chart": {
			bare + "opi: {port: 8080, mountPath: /html, image: web" + digest + "}\n", true, false,
			":2: a service is no IOC, and has no opi; remove it, or service",
		},
		"its own name beside": {
			web + "boot: {none: x}\ninitContainers:\n- {name: service, command: [a]}\n", false, false,
			`:5: the container of service bl01t-x is called "service"; choose another name`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			bl, err := beamline.Read(serviceTree("", c.values, c.chart), "bl01t")
			if c.want != "" {
				all := diag.All(err)
				require.NotEmpty(t, all)
				require.EqualError(t, all[0], serviceFile+c.want)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, c.boots, bl.Instances[0].Boots())
			if is := bl.Instances[0].Foreign; is != nil {
				assert.Equal(t, time.Minute, is.Within, "where nothing is said")
				assert.Equal(t, 3, is.Line)
			}
		})
	}
}

// The values of a service are shown with the places that they are from, without those
// that only an IOC has.
func TestOriginsOfAService(t *testing.T) {
	digest := "@sha256:" + strings.Repeat("7", 64)
	tree := serviceTree(
		"values:\n  autosave: 1Gi\n  memory: 1Gi\n  env: {A: b}\n",
		"# a gateway\nservice: a gateway\nimage: h/web:1"+digest+"\ncommand: [serve]\nboot: {none: x}\nuid: 5\n", false,
	)
	show := func() (all []string) {
		bl, err := beamline.Read(tree, "bl01t")
		require.NoError(t, err)
		values, err := bl.Origins(tree, bl.Instances[0])
		require.NoError(t, err)
		for _, v := range values {
			text, err := json.Marshal(v.Value)
			require.NoError(t, err)
			all = append(all, fmt.Sprintf("%s:%d %s %s", v.File, v.Line, v.Key, text))
		}
		return all
	}
	const shared = "beamlines/bl01t/beamline.yaml"
	image := serviceFile + `:3 image "h/web:1` + digest + `"`
	want := []string{
		serviceFile + `:2 service "a gateway"`, image, serviceFile + `:4 command ["serve"]`, serviceFile + ":6 uid 5",
		":0 gid 1000", shared + `:5 env.A "b"`, `:0 network "host"`, shared + `:4 memory "1Gi"`, ":0 graceSeconds 30",
	}
	require.Equal(t, want, show())
	tree[serviceFile].Data = []byte(strings.Replace(string(tree[serviceFile].Data), "command: [serve]\n", "", 1))
	require.NotContains(t, strings.Join(show(), "\n"), " command ", "the image's own is not shown as an empty one")
}

// The images that a beamline names by tag are each asked for once.
func TestTagged(t *testing.T) {
	tree := pair("", "", "")
	for name, image := range map[string]string{"c": "h/web:2", "d": "h/web:1", "e": "h/web:2"} {
		tree["beamlines/bl01t/iocs/bl01t-"+name+"/values.yaml"] = &fstest.MapFile{
			Data: []byte("service: a gateway\nimage: " + image + "\nboot: {none: x}\n"),
		}
	}
	bl, err := beamline.ReadUnmade(tree, "bl01t")
	require.NoError(t, err)
	require.Equal(t, []string{"h/web:1", "h/web:2"}, bl.Tagged())
}

// What an instance has of its own goes over what is shared, key by key in maps and as a
// whole elsewhere, and neither changes the other.
func TestValuesOverOthers(t *testing.T) {
	const shared = "values:\n  env: {A: a, B: b}\n  tolerations: [{key: a}, {key: b}]\n  uid: 5\n" +
		"  startup: {within: 3m, allow: [{line: x, why: y}]}\n  start: false\n  pod: {hostname: a, volumes: []}\n" +
		"  volumes: [{name: a, mountPath: /a, claim: a}]\n  imagePullSecrets: [a]\n"
	bl, err := beamline.Read(pair(shared, "env: {B: x, C: ''}\ntolerations: [{key: c}]\nuid: 6\nstart: true\n"+
		"startup: {within: 5m}\npod: {hostname: b}\nvolumes: []\n", ""), "bl01t")
	require.NoError(t, err)
	a, b := bl.Instances[0].Values, bl.Instances[1].Values
	assert.Equal(t, map[string]string{"A": "a", "B": "x", "C": ""}, a.Env)
	assert.Equal(t, []beamline.Toleration{{Key: "c"}}, a.Tolerations)
	assert.Equal(t, "6:1000", a.User())
	assert.True(t, a.Starts())
	assert.Equal(t, 5*time.Minute, a.StartupRules().Duration())
	assert.Equal(t, map[string]any{"hostname": "b", "volumes": []any{}}, a.Pod)
	assert.Empty(t, a.Volumes)
	assert.Equal(t, []string{"a"}, a.ImagePullSecrets)
	assert.Equal(t, map[string]string{"A": "a", "B": "b"}, b.Env)
	assert.False(t, b.Starts())
	assert.Len(t, b.Tolerations, 2)
	assert.Equal(t, "5:1000", b.User())
	assert.Equal(t, bl.Values.Volumes, b.Volumes)
	assert.Equal(t, map[string]string{"A": "a", "B": "b"}, bl.Values.Env)
}

// Devices that are named twice, or in two ways, and variables that are the chart's own.
func TestDevicesAndVariables(t *testing.T) {
	for values, want := range map[string][]string{
		"devices: [{path: /dev/a}, {path: /dev/b}, {resource: a.b/c}, {claim: c}]\n": nil,
		"devices: [{path: /dev/a, resource: a.b/c}, {path: /dev/a}]\n": {
			own + "3: the device is named in 2 ways; write one of path, resource and claim",
		},
		"devices: [{claim: c}, {claim: c}]\n": {own + `3: the device "c" is there twice; remove one`},
		"env:\n  IOC_RUN_PV: x\n": {
			own + "4: the chart sets IOC_RUN_PV, for ioc-run; set probePV, protocol, graceSeconds or startup",
		},
		"env:\n  IOC_RUN: x\n  IOC_NAMES: x\n":                         nil,
		"container: {env: [{name: A, value: b}, {name: IOC_RUN_X}]}\n": {own + `3: "IOC_RUN_X" is set already; remove it`},
		"env: {A: x}\ncontainer: {env: [{name: A, value: b}]}\n":       {own + `4: "A" is set already; remove it`},
		"container: {volumeMounts: [{name: tmp, mountPath: /usr/../etc}]}\n": {
			own + `3: "/usr/../etc" leads upwards; write the path without ..`,
			own + "3: a volume at /etc would hide what the IOC is made of; mount it elsewhere, as in /data",
		},
		"env: {EPICS_CA_SERVER_PORT: '1', EPICS_PVAS_SERVER_PORT: '65535', EPICS_CA_REPEATER_PORT: x}\n": nil,
		"env:\n  EPICS_CAS_SERVER_PORT: '65536'\n  EPICS_PVA_SERVER_PORT: ca\n  EPICS_CA_SERVER_PORT: 05064\n" +
			"  EPICS_PVAS_SERVER_PORT: ''\n": {
			own + `4: EPICS_CAS_SERVER_PORT: "65536" is no port; write a number up to 65535, as in 5064`,
			own + `5: EPICS_PVA_SERVER_PORT: "ca" is no port; write a number up to 65535, as in 5064`,
			own + "6: 05064 is a number that readers of YAML disagree about; write it in plain decimal digits, " +
				"or in quotes where it is text",
		},
		"volumes: [{name: a, mountPath: /a..b/..c, claim: x}]\n": nil,
		"volumes: [{name: device-0, mountPath: /a, claim: x}]\n": {
			own + `3: the chart itself has a volume "device-0"; choose another name`,
		},
	} {
		_, err := beamline.Read(pair("", values, ""), "bl01t")
		all := diag.All(err)
		require.Len(t, all, len(want), "%s: %v", values, err)
		for i := range want {
			assert.EqualError(t, all[i], want[i], values)
		}
	}
}
