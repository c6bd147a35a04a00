package beamline_test

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/tagline-ci/tagline/pipelines/asset"
	"github.com/tagline-ci/tagline/pipelines/beamline"
	"github.com/tagline-ci/tagline/pipelines/diag"
	"github.com/tagline-ci/tagline/pipelines/record"
	"github.com/tagline-ci/tagline/pipelines/strictyaml/faultcase"
)

// site returns the tree of testdata/good.txtar.
func site(t testing.TB) fstest.MapFS { return faultcase.Tree(t, "testdata/good.txtar") }

func TestFaults(t *testing.T) {
	faultcase.Run(t, "testdata/faults", site(t), func(fsys fs.FS) error {
		bl, err := beamline.Read(fsys, "bl01t")
		assert.Nil(t, bl)
		return err
	})
}

func TestReadGood(t *testing.T) {
	bl, err := beamline.Read(site(t), "bl01t")
	require.NoError(t, err)
	assert.EqualValues(t, "bl01t", bl.Name)
	assert.Equal(t, "bl01t", bl.Namespace)
	assert.Equal(t, "beamlines/bl01t/beamline.yaml", bl.File)
	assert.Equal(t, record.Policy{Approvers: []string{"octocat", "site/controls"}, Environment: "bl01t"}, bl.Gate)
	require.Len(t, bl.Instances, 2)
	one, two := bl.Instances[0], bl.Instances[1]
	assert.Equal(t, "bl01t-mo-ioc-01", one.Name)
	assert.Equal(t, "beamlines/bl01t/iocs/bl01t-mo-ioc-01", one.Folder)
	assert.Equal(t, one.Folder+"/values.yaml", one.File)
	assert.Equal(t, "ioc-simstage 1.0.0", one.Image.String())
	assert.False(t, one.Chart)
	assert.Equal(t, []string{"st.cmd"}, names(one.Config))
	assert.True(t, two.Chart)
	assert.Equal(t, "ioc-motorsim 2.5.3r1.0", two.Image.String())
	assert.Equal(t, []string{"common.cmd", "st.cmd"}, names(two.Config))
}

func TestOverlay(t *testing.T) {
	bl, err := beamline.Read(site(t), "bl01t")
	require.NoError(t, err)
	taint := []beamline.Toleration{{Key: "beamline", Value: "bl01t", Effect: "NoSchedule"}}
	shared := beamline.Values{
		UID: 1000, GID: 1001, Memory: "256Mi", Autosave: "100Mi", Tolerations: taint,
		Env:          map[string]string{"EPICS_CA_MAX_ARRAY_BYTES": "1000000", "SITE": "test"},
		NodeSelector: map[string]string{"beamline": "bl01t"},
	}
	assert.Equal(t, shared, bl.Values, "an instance must not change what is shared")
	one := shared
	one.ProbePV = "BL01T-MO-STAGE-01:RBV"
	assert.Equal(t, one, bl.Instances[0].Values)
	assert.Equal(t, beamline.Values{
		ProbePV: "BL01T-MO-STAGE-02:RBV", Protocol: "pva", UID: 1000, GID: 2000, Memory: "1Gi",
		Env:          map[string]string{"EPICS_CA_MAX_ARRAY_BYTES": "1000000", "SITE": "other", "MORE": "yes"},
		NodeSelector: map[string]string{"beamline": "bl01t"}, Tolerations: []beamline.Toleration{}, GraceSeconds: 5,
	}, bl.Instances[1].Values)
}

// An instance starts where its beamline's do not, and the other way round.
func TestStarts(t *testing.T) {
	no, yes := false, true
	for _, c := range []struct {
		start *bool
		want  bool
	}{{nil, true}, {&yes, true}, {&no, false}} {
		require.Equal(t, c.want, beamline.Values{Start: c.start}.Starts())
	}
	bl, err := beamline.Read(pair("values: {start: false}\n", "start: true\n", ""), "bl01t")
	require.NoError(t, err)
	require.True(t, bl.Instances[0].Values.Starts())
	require.False(t, bl.Instances[1].Values.Starts())
}

// A list of an instance replaces the beamline's, and nothing of that shows through.
func TestOverlayOfLists(t *testing.T) {
	tree := site(t)
	shared := strings.Replace(string(tree["beamlines/bl01t/beamline.yaml"].Data), "values:\n",
		"values:\n  volumes: [{name: a, mountPath: /a, claim: a, readOnly: true}]\n", 1)
	tree["beamlines/bl01t/beamline.yaml"] = &fstest.MapFile{Data: []byte(shared)}
	const own = "beamlines/bl01t/iocs/bl01t-mo-ioc-01/values.yaml"
	tree[own] = &fstest.MapFile{Data: append(tree[own].Data, "volumes: [{name: b, mountPath: /b, hostPath: /b}]\n"...)}
	bl, err := beamline.Read(tree, "bl01t")
	require.NoError(t, err)
	assert.Equal(t, []beamline.Volume{{Name: "b", MountPath: "/b", HostPath: "/b"}}, bl.Instances[0].Values.Volumes)
	inherited := []beamline.Volume{{Name: "a", MountPath: "/a", Claim: "a", ReadOnly: true}}
	assert.Equal(t, inherited, bl.Instances[1].Values.Volumes)
	assert.Equal(t, inherited, bl.Values.Volumes)
}

func TestNames(t *testing.T) {
	found, err := beamline.Names(site(t))
	require.NoError(t, err)
	assert.Equal(t, []asset.Name{"bl01t", "bl99x"}, found)
	found, err = beamline.Names(fstest.MapFS{})
	require.NoError(t, err)
	assert.Empty(t, found)
}

func TestReadUnknown(t *testing.T) {
	_, err := beamline.Read(site(t), "bl01")
	assert.EqualError(t, err, `beamlines/bl01: there is no beamline "bl01"; did you mean "bl01t"?`)
	assert.Equal(t, diag.Invalid, diag.KindOf(err))
	_, err = beamline.Read(site(t), "i22")
	assert.EqualError(t, err, `beamlines/i22: there is no beamline "i22"; the beamlines here are bl01t, bl99x`)
	_, err = beamline.Read(site(t), "../bl01t")
	assert.ErrorContains(t, err, "can't be a beamline's name")
	_, err = beamline.Read(site(t), "bl99x")
	assert.EqualError(t, err,
		"beamlines/bl99x/iocs: beamline bl99x has no IOC instances; add a folder with values.yaml and config/ for each IOC")
}

// What no ConfigMap can have is a layer of an image of the instance's own.
func TestInImage(t *testing.T) {
	for name, want := range map[string]bool{
		"table.bin": false, "db/table.db": true, "stage 1.db": true, "größe.db": true, "..data": true,
	} {
		inst := &beamline.Instance{Config: map[string][]byte{"st.cmd": []byte("iocInit\n"), name: {0xff}}}
		assert.Equal(t, want, inst.InImage(), name)
	}
	for size, want := range map[int]bool{256 << 10: false, 256<<10 + 1: true} {
		inst := &beamline.Instance{Config: map[string][]byte{"table.bin": make([]byte, size)}}
		assert.Equal(t, want, inst.InImage(), size)
	}
}

// Folders are read, and a file too large is refused by its name.
func TestConfigFolders(t *testing.T) {
	tree := site(t)
	const folder = "beamlines/bl01t/iocs/bl01t-mo-ioc-02/config"
	tree[folder+"/db/axes/x.db"] = &fstest.MapFile{Data: []byte("record(ai, \"X\") {}\n")}
	bl, err := beamline.Read(tree, "bl01t")
	require.NoError(t, err)
	assert.Contains(t, names(bl.Instances[1].Config), "db/axes/x.db")
	tree[folder+"/big.bin"] = &fstest.MapFile{Data: make([]byte, 201<<20)}
	_, err = beamline.Read(tree, "bl01t")
	assert.EqualError(t, err, folder+"/big.bin: it has 201 MiB, more than the 200 of one file; "+
		"move it into the generic IOC's image, or onto a volume")
}

// names returns a config folder's file names, sorted.
func names(files map[string][]byte) []string {
	return slices.Sorted(maps.Keys(files))
}
