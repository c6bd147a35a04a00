package chart

import (
	"io/fs"
	"maps"
	"os"
	"strings"
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
	cases := map[string]func(*beamline.Instance){
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
		"service": service,
		"inimage": func(i *beamline.Instance) { i.Config["db/stage.db"] = []byte("record(ai, \"X\") {}\n") },
	}
	maps.Copy(cases, further)
	for name, change := range cases {
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

// service makes an instance of stage a service by image.
func service(inst *beamline.Instance) {
	inst.Service, inst.Image = "Python IOC of the sample changer", asset.Pin{}
	inst.Foreign = &beamline.Foreign{
		Image:   "ghcr.io/some-org/pyioc:1.2.3@sha256:" + asset.Ref(strings.Repeat("7", 64)),
		Command: []string{"python", "-m", "pyioc"},
	}
	inst.Values.ProbePV, inst.Values.GraceSeconds = "", 60
	inst.Values.Env = map[string]string{"LEVEL": "info"}
	inst.Values.Container = map[string]any{"livenessProbe": map[string]any{"tcpSocket": map[string]any{"port": 5064}}}
	inst.Config = map[string][]byte{"pyioc.toml": []byte("a = 1\n")}
}

// A service by image has what a pod of an IOC has, but nothing of ioc-run, and needs
// the policy's consent to its image, in the same words as one of a chart of its own.
func TestAServiceByImage(t *testing.T) {
	for name, image := range map[string]asset.Ref{
		"locked":      "ghcr.io/some-org/pyioc:1.2.3@sha256:" + asset.Ref(strings.Repeat("7", 64)),
		"digest only": "ghcr.io/some-org/pyioc@sha256:" + asset.Ref(strings.Repeat("7", 64)),
	} {
		t.Run(name, func(t *testing.T) {
			bl, inst := stage(t)
			service(inst)
			inst.Foreign.Image = image
			require.True(t, inst.Reaches())
			tgz, err := lib.Package(bl, inst, "", "2026.11.1")
			require.NoError(t, err)
			needs, err := Needs(tgz, "bl01t", "")
			require.NoError(t, err)
			require.Equal(t, []string{"image " + string(image)}, needs)
		})
	}
}

// What only an IOC has is refused by the schema of stock Helm, too, and the other way
// round.
func TestTheSchemaTellsAServiceFromAnIOC(t *testing.T) {
	for _, c := range []struct {
		change func(*beamline.Instance)
		says   string
	}{
		{func(i *beamline.Instance) { service(i); i.Values.ProbePV = "A" }, "/probePV"},
		{func(i *beamline.Instance) { service(i); i.Values.Autosave = "1Gi" }, "/autosave"},
		{func(i *beamline.Instance) { service(i); i.Values.Opi = screens() }, "/opi"},
		{func(i *beamline.Instance) { i.Values.ProbePV = "" }, "probePV"},
		{func(i *beamline.Instance) {
			i.Values.Container = map[string]any{"livenessProbe": map[string]any{}}
		}, "/container/livenessProbe"},
	} {
		bl, inst := stage(t)
		c.change(inst)
		_, err := lib.Package(bl, inst, image, "2026.11.1")
		require.ErrorContains(t, err, c.says)
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
