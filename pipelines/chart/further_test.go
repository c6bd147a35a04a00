package chart

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/beamline"
)

// further are the values that say what Kubernetes gives an IOC, each rendered into
// a golden file by TestManifests.
var further = map[string]func(*beamline.Instance){
	"volumes": func(i *beamline.Instance) {
		i.Values.Volumes = []beamline.Volume{
			{Name: "data", MountPath: "/data", Claim: "bl01t-data"},
			{Name: "scratch", MountPath: "/scratch", HostPath: "/scratch/bl01t"},
			{
				Name: "site", MountPath: "/site", ReadOnly: true,
				NFS: &beamline.NFS{Server: "nfs.example.org", Path: "/exports/site"},
			},
		}
	},
	"devices": func(i *beamline.Instance) {
		i.Values.Devices = []beamline.Device{
			{Path: "/dev/ttyUSB0", Group: 20}, {Path: "/dev/bus/usb", Group: 20},
			{Resource: "smarter-devices/ttyUSB1", Group: 21}, {Claim: "bl01t-camera"},
		}
	},
	"resource": func(i *beamline.Instance) { // nothing is privileged for it
		i.Values.Memory = ""
		i.Values.Devices = []beamline.Device{{Resource: "smarter-devices/ttyUSB0"}}
	},
	"cluster": func(i *beamline.Instance) {
		i.Values.Network, i.Values.Env = "cluster", map[string]string{"EPICS_CA_SERVER_PORT": "6064"}
	},
	"stopped": func(i *beamline.Instance) { i.Values.Start = new(bool) },
	"placed": func(i *beamline.Instance) {
		v := &i.Values
		v.NodeName, v.NodeSelector = "bl01t-serv-01", map[string]string{"beamline": "bl01t"}
		v.Affinity = map[string]any{"podAntiAffinity": map[string]any{}}
		v.PriorityClass, v.ServiceAccount, v.ImagePullSecrets = "beamline", "ioc", []string{"ghcr", "quay"}
		v.Labels = map[string]string{"example.org/owner": "ajp"}
		v.Annotations = map[string]string{"example.org/page": "{{ x }}"}
	},
	"beside": func(i *beamline.Instance) {
		i.Values.InitContainers = []map[string]any{{"name": "first", "command": []any{"true"}}}
		i.Values.Containers = []map[string]any{
			{"name": "gateway", "image": image, "securityContext": map[string]any{"readOnlyRootFilesystem": true}},
			{"name": "free", "securityContext": map[string]any{"privileged": true}},
		}
	},
	"opi": func(i *beamline.Instance) {
		i.Values.Network = "cluster"
		i.Values.InitContainers = []map[string]any{{"name": "first", "command": []any{"true"}}}
		i.Values.Containers = []map[string]any{{"name": "gateway", "image": image}}
		i.Values.Opi = screens()
		i.Config["opi/main.bob"] = []byte("<display/>\n")
	},
	"longtail": func(i *beamline.Instance) {
		i.Values.Devices = []beamline.Device{{Resource: "a.b/c", Group: 20}}
		i.Values.Pod = map[string]any{
			"hostAliases":     []any{map[string]any{"ip": "10.0.0.1", "hostnames": []any{"motor"}}},
			"securityContext": map[string]any{"supplementalGroups": []any{100}, "fsGroupChangePolicy": "OnRootMismatch"},
			"volumes":         []any{map[string]any{"name": "shm", "emptyDir": map[string]any{"medium": "Memory"}}},
		}
		i.Values.Container = map[string]any{
			"env":                    []any{map[string]any{"name": "B", "value": "x"}},
			"securityContext":        map[string]any{"capabilities": map[string]any{"add": []any{"SYS_NICE"}}},
			"terminationMessagePath": "/tmp/why",
			"volumeMounts":           []any{map[string]any{"name": "shm", "mountPath": "/dev/shm"}},
		}
	},
}

// screens are served by a web server of the site's.
func screens() *beamline.Opi {
	return &beamline.Opi{
		Image: "ghcr.io/some-org/web:1.2.3@sha256:" + strings.Repeat("7", 64), Port: 8080,
		MountPath: "/usr/share/nginx/html",
	}
}

// TestNeedsOfValues has a case for each value by which an ordinary instance reaches
// further than others.
func TestNeedsOfValues(t *testing.T) {
	other := strings.Replace(image, "ioc-simstage", "busybox", 1)
	for _, c := range []struct {
		values beamline.Values
		want   string
	}{
		{beamline.Values{Volumes: []beamline.Volume{{Name: "a", MountPath: "/a", Claim: "a"}}}, ""},
		{
			beamline.Values{Volumes: []beamline.Volume{{Name: "a", MountPath: "/a", HostPath: "/scratch"}}},
			"host path /scratch",
		},
		{
			beamline.Values{Volumes: []beamline.Volume{
				{Name: "a", MountPath: "/a", NFS: &beamline.NFS{Server: "x", Path: "/"}},
			}},
			"volume nfs",
		},
		{
			beamline.Values{Devices: []beamline.Device{{Path: "/dev/ttyUSB0", Group: 20}}},
			"host path /dev/ttyUSB0, privilege escalation, privileged",
		},
		{beamline.Values{Devices: []beamline.Device{{Resource: "a.b/c"}}}, "resource a.b/c"},
		{beamline.Values{Devices: []beamline.Device{{Claim: "c"}}}, "resource claim c"},
		{beamline.Values{Network: "cluster"}, "kind Service"},
		{beamline.Values{Opi: screens()}, "image " + screens().Image},
		{beamline.Values{ServiceAccount: "admin"}, "service account admin"},
		{beamline.Values{Annotations: map[string]string{"cdi.k8s.io/x": "a.b/c=0"}}, "device a.b/c=0"},
		{beamline.Values{Pod: map[string]any{"hostPID": true}}, "host processes"},
		{
			beamline.Values{Container: map[string]any{
				"securityContext": map[string]any{"capabilities": map[string]any{"add": []any{"SYS_NICE"}}},
			}},
			"capability SYS_NICE",
		},
		{beamline.Values{Containers: []map[string]any{{"name": "x"}}}, ""}, // the IOC's own image
		{
			beamline.Values{InitContainers: []map[string]any{{"name": "x", "image": other}}},
			"image " + other,
		},
		{
			beamline.Values{Containers: []map[string]any{
				{"name": "x", "securityContext": map[string]any{"privileged": true}},
			}},
			"privilege escalation, privileged",
		},
	} {
		t.Run(c.want, func(t *testing.T) {
			bl, inst := stage(t)
			inst.Values = c.values
			inst.Values.ProbePV = "X"
			require.True(t, inst.Reaches(), "plan and diff would not look at it")
			tgz, err := lib.Package(bl, inst, image, "1.0.0")
			require.NoError(t, err)
			got, err := Needs(tgz, "bl01t", image)
			require.NoError(t, err)
			require.Equal(t, c.want, strings.Join(got, ", "))
		})
	}
	_, inst := stage(t)
	require.False(t, inst.Reaches())
}
