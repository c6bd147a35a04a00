package chart

import (
	"io/fs"
	"os"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
	"gotest.tools/v3/golden"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/startup"
)

const image = "127.0.0.1:5000/ioc-simstage-runtime@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

var lib = opened(os.DirFS("../../charts/ioc-lib"))

func opened(folder fs.FS) *Library {
	l, err := ReadLibrary(folder)
	if err != nil {
		panic(err)
	}
	return l
}

// stage is a beamline with one instance of the simulated motion stage.
func stage(t testing.TB) (*beamline.Beamline, *beamline.Instance) {
	pin, err := asset.ParsePin("ioc-simstage 1.0.0")
	require.NoError(t, err)
	inst := &beamline.Instance{
		Name: "bl01t-mo-ioc-01", Folder: "beamlines/bl01t/iocs/bl01t-mo-ioc-01",
		File: "beamlines/bl01t/iocs/bl01t-mo-ioc-01/values.yaml", Image: pin,
		Values: beamline.Values{ProbePV: "BL01T-MO-STAGE-01:RBV", UID: 37000, GID: 37001, Memory: "256Mi"},
		Config: map[string][]byte{
			"st.cmd": []byte("dbLoadDatabase " +
				"\"/epics/ioc/dbd/ioc.dbd\"\nioc_registerRecordDeviceDriver(pdbbase)\niocInit\n"),
			"stage.db": []byte("record(ai, \"BL01T-MO-STAGE-01:RBV\") {}\n"),
		},
	}
	return &beamline.Beamline{Name: "bl01t", Namespace: "bl01t", Instances: []*beamline.Instance{inst}}, inst
}

func TestManifests(t *testing.T) {
	for name, change := range map[string]func(*beamline.Instance){
		"plain": func(*beamline.Instance) {},
		"all": func(i *beamline.Instance) {
			i.Values = beamline.Values{
				ProbePV: "BL01T:TIME", Protocol: "pva", UID: 1, GID: 2, CPU: "100m", Memory: "1Gi",
				Autosave: "100Mi", GraceSeconds: 60,
				Startup: &startup.Rules{
					Within: "3m", Allow: []startup.Pattern{{Line: "queueRequest", Why: "absent in CI"}},
				},
				Env: map[string]string{"EPICS_CA_MAX_ARRAY_BYTES": "1000000",
					"A": "{{ x }}"},
				NodeSelector: map[string]string{"beamline": "bl01t"},
				Tolerations: []beamline.Toleration{{
					Key: "beamline", Operator: "Equal", Value: "bl01t", Effect: "NoSchedule",
				}},
			}
			i.Config["trajectory.bin"] = []byte{0, 0xff, 0xfe, '\n'}
		},
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
		"inimage": func(i *beamline.Instance) { i.Config["db/stage.db"] = []byte("record(ai, \"X\") {}\n") },
	} {
		t.Run(name, func(t *testing.T) {
			bl, inst := stage(t)
			change(inst)
			tgz, err := lib.Package(bl, inst, image, "2026.11.1")
			require.NoError(t, err)
			manifests, err := Render(tgz, "bl01t")
			require.NoError(t, err)
			golden.Assert(t, manifests, name+".yaml")
		})
	}
}

func TestPackagingTwiceGivesTheSameBytes(t *testing.T) {
	bl, inst := stage(t)
	one, err := lib.Package(bl, inst, image, "2026.11.1")
	require.NoError(t, err)
	two, err := lib.Package(bl, inst, image, "2026.11.1")
	require.NoError(t, err)
	require.Equal(t, one, two)
}

// A tree without a library chart gets the one in the program, which is that of
// this repository, byte for byte; a tree's own comes first.
func TestLibraryOfATree(t *testing.T) {
	carried, err := LibraryOf(fstest.MapFS{})
	require.NoError(t, err)
	ours, err := LibraryOf(os.DirFS("../.."))
	require.NoError(t, err)
	require.Equal(t, ours, carried)
	_, err = LibraryOf(fstest.MapFS{"charts/ioc-lib/Chart.yaml": {Data: []byte("name: mine\ntype: application\n")}})
	require.ErrorContains(t, err, "charts/ioc-lib/Chart.yaml")
}
